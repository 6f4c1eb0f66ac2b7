import Contracts
import Synchronization

/// What buyers were told, to be held against what happened.
package final class Promises: Sendable {
    private struct State {
        var accepted: [String: SagaID] = [:]
        var broken: [String] = []
        var interest: [String: Int] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    /// A start was accepted under this key; every answer under the key must name the same purchase.
    package func accept(_ key: String, _ saga: SagaID) {
        state.withLock { state in
            if let earlier = state.accepted[key], earlier != saga {
                state.broken.append("\(key) was promised \(earlier), then \(saga)")
            }
            state.accepted[key] = saga
        }
    }

    /// Somebody showed interest, once, however often the message was sent.
    package func observe(_ interest: ObserveInterest) {
        state.withLock { $0.interest[interest.name, default: 0] += interest.weight }
    }

    /// How much interest was shown, by user and event.
    package var interest: [String: Int] { state.withLock { $0.interest } }

    package var accepted: [String: SagaID] { state.withLock { $0.accepted } }
    package var broken: [String] { state.withLock { $0.broken } }
}
