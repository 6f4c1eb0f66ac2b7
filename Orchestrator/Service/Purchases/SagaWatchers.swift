import Contracts
import FleetRuntime
import Synchronization

/// Wakes those in this process who wait for a saga to move; other processes' moves are found by looking again.
package final class SagaWatchers: Sendable {
    private let bells = Mutex<[SagaID: [(token: UInt64, bell: Bell)]]>([:])
    private let tokens = Atomic<UInt64>(0)

    package init() {}

    func notify(_ sagas: [SagaID]) {
        let rung = bells.withLock { bells in bells.isEmpty ? [] : sagas.flatMap { bells[$0] ?? [] } }
        for watcher in rung { watcher.bell.ring() }
    }

    /// A bell that rings when the saga moves; give it back with `leave`.
    func enter(_ saga: SagaID) -> Watch {
        let watch = Watch(saga: saga, token: tokens.add(1, ordering: .relaxed).newValue, bell: Bell())
        bells.withLock { $0[saga, default: []].append((watch.token, watch.bell)) }
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
