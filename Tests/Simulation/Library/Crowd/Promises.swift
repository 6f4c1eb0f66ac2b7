import Contracts
import Synchronization

/// What buyers were told, to be held against what happened.
package final class Promises: Sendable {
    private struct State {
        var accepted: [String: SagaID] = [:]
        var rejected: [String: Problem.Code] = [:]
        var turnedBack: Set<SagaID> = []
        var refunded: Set<SagaID> = []
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
            if let code = state.rejected[key] {
                state.broken.append("\(key) was told \(code.rawValue), then promised \(saga)")
            }
            state.accepted[key] = saga
        }
    }

    /// A start was rejected under this key; that is the answer for ever.
    package func reject(_ key: String, _ code: Problem.Code) {
        state.withLock { state in
            if let saga = state.accepted[key] {
                state.broken.append("\(key) was promised \(saga), then told \(code.rawValue)")
            }
            if let earlier = state.rejected[key], earlier != code {
                state.broken.append("\(key) was told \(earlier.rawValue), then \(code.rawValue)")
            }
            state.rejected[key] = code
        }
    }

    /// Somebody who wanted to turn a purchase back was told that it will be done.
    package func turnBack(_ saga: SagaID) {
        state.withLock { _ = $0.turnedBack.insert(saga) }
    }

    /// Somebody who wanted the money back was told that it is on its way.
    package func refund(_ saga: SagaID) {
        state.withLock { _ = $0.refunded.insert(saga) }
    }

    /// Somebody showed interest, once, however often the message was sent.
    package func observe(_ interest: ObserveInterest) {
        state.withLock { $0.interest[interest.name, default: 0] += interest.weight }
    }

    /// How much interest was shown, by user and event.
    package var interest: [String: Int] { state.withLock { $0.interest } }

    package var accepted: [String: SagaID] { state.withLock { $0.accepted } }
    package var turnedBack: Set<SagaID> { state.withLock { $0.turnedBack } }
    package var refunded: Set<SagaID> { state.withLock { $0.refunded } }
    package var broken: [String] { state.withLock { $0.broken } }
}
