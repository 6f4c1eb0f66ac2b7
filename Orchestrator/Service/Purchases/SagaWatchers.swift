import Contracts
import FleetRuntime
import Synchronization

/// Wakes those in this process who wait for a saga to move; other processes' moves are found by looking again.
package final class SagaWatchers: Sendable {
    /// What somebody waits for: another look costs as much as a step, so it should not be in vain.
    enum Occasion { case step, outcome }

    private let bells = Mutex<[SagaID: [(token: UInt64, occasion: Occasion, bell: Bell)]]>([:])
    private let tokens = Atomic<UInt64>(0)

    package init() {}

    func notify(_ moves: [(saga: SagaID, hasOutcome: Bool)]) {
        let rung = bells.withLock { bells in
            bells.isEmpty
                ? []
                : moves.flatMap { move in
                    (bells[move.saga] ?? []).filter { move.hasOutcome || $0.occasion == .step }
                }
        }
        for watcher in rung { watcher.bell.ring() }
    }

    /// A bell that rings when the saga comes to this; give it back with `leave`.
    func enter(_ saga: SagaID, for occasion: Occasion) -> Watch {
        let watch = Watch(saga: saga, token: tokens.add(1, ordering: .relaxed).newValue, bell: Bell())
        bells.withLock { $0[saga, default: []].append((watch.token, occasion, watch.bell)) }
        return watch
    }

    func leave(_ watch: Watch) {
        bells.withLock { bells in
            bells[watch.saga]?.removeAll { $0.token == watch.token }
            if bells[watch.saga]?.isEmpty ?? false { bells[watch.saga] = nil }
        }
    }

    struct Watch: Sendable {
        let saga: SagaID
        fileprivate let token: UInt64
        let bell: Bell
    }
}
