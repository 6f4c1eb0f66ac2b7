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

    /// Lends a bell that rings when the saga moves.
    func watching<R>(_ saga: SagaID, _ body: (Bell) async throws -> R) async rethrows -> R {
        let bell = Bell()
        let token = tokens.add(1, ordering: .relaxed).newValue
        bells.withLock { $0[saga, default: []].append((token, bell)) }
        defer {
            bells.withLock { bells in
                bells[saga]?.removeAll { $0.token == token }
                if bells[saga]?.isEmpty ?? false { bells[saga] = nil }
            }
        }
        return try await body(bell)
    }
}
