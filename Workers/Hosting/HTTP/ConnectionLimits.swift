import Connections
import FleetRuntime
import RabbitMQ
import Synchronization

/// How many HTTP connections the process keeps at once, in all and from one address, and who has them now.
///
/// Descriptors are set aside for our own connections to servers, so that no crowd of clients can take the last one.
package final class ConnectionLimits: Sendable {
    /// Descriptors that clients never get: what the lanes, the pools and the C libraries open.
    package static let reserve = 256

    /// Why a connection was not admitted.
    package enum Refusal: String, Sendable, CaseIterable {
        case process, address
    }

    private struct State {
        var byAddress: [String: Int] = [:]
        var open = 0
        var lingering = 0
        var refused: [Refusal: Int] = [:]
    }

    package let total: Int
    package let perAddress: Int
    private let state = Mutex(State())

    /// - Parameter descriptors: how many the process may open; what is wished for beyond them is not given.
    package init(total: Int, perAddress: Int, descriptors: Int = Descriptors.limit) {
        self.total = min(total, max(descriptors - Self.reserve, 8))
        // One address never gets all: the others must find room.
        self.perAddress = min(perAddress, max(self.total / 2, 1))
    }

    package var open: Int { state.withLock { $0.open } }

    func samples() -> [Sample] {
        state.withLock { state in
            [Sample(.httpConnections, Double(state.open))]
                + Refusal.allCases.map { refusal in
                    Sample(
                        .httpConnectionsRefused, [("limit", refusal.rawValue)], Double(state.refused[refusal] ?? 0))
                }
        }
    }

    /// Nil when the connection is admitted; then `leave` must follow.
    func enter(from address: String) -> Refusal? {
        state.withLock { state in
            let refusal: Refusal? =
                state.open >= total ? .process : state.byAddress[address, default: 0] >= perAddress ? .address : nil
            if let refusal {
                state.refused[refusal, default: 0] += 1
            } else {
                state.open += 1
                state.byAddress[address, default: 0] += 1
            }
            return refusal
        }
    }

    func leave(from address: String) {
        state.withLock { state in
            state.open -= 1
            let left = state.byAddress[address, default: 1] - 1
            state.byAddress[address] = left > 0 ? left : nil
        }
    }

    // MARK: - Refused connections

    private static let mostLingering = 64

    /// Whether one more refused connection may stay until its client has read why; then `endLingering` must follow.
    func beginLingering() -> Bool {
        state.withLock { state in
            guard state.lingering < Self.mostLingering else { return false }
            state.lingering += 1
            return true
        }
    }

    func endLingering() {
        state.withLock { $0.lingering -= 1 }
    }
}
