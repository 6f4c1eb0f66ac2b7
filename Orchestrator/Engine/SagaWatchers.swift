import Contracts
import FleetRuntime
import SagaCore
import Synchronization

/// Wakes those in this process who wait for a saga to move.
///
/// What this process moves is told at once. What others move is found by the lookout, which asks for all sagas that
/// somebody waits for in one query, however many wait.
package final class SagaWatchers: Sendable {
    /// What somebody waits for: another look costs as much as a step, so it should not be in vain.
    package enum Occasion { case step, outcome }

    /// Where a saga stands, as far as those who wait care.
    package struct Position: Sendable {
        package let saga: SagaID
        package let version: Int
        package let hasOutcome: Bool

        package init(saga: SagaID, version: Int, hasOutcome: Bool) {
            self.saga = saga
            self.version = version
            self.hasOutcome = hasOutcome
        }
    }

    private struct Watched {
        /// The latest version that was heard of; 0 before the first.
        var version = 0
        var signals: [(token: UInt64, occasion: Occasion, signal: AsyncSignal)] = []
    }

    private let sagas = Mutex<[SagaID: Watched]>([:])
    private let tokens = Atomic<UInt64>(0)

    package init() {}

    /// Wakes those whom a move concerns, once for each version.
    package func notify(_ positions: [Position]) {
        let rung = sagas.withLock { sagas in
            sagas.isEmpty ? [] : positions.flatMap { Self.signals(to: $0, &sagas) }
        }
        for signal in rung { signal.fire() }
    }

    private static func signals(to position: Position, _ sagas: inout [SagaID: Watched]) -> [AsyncSignal] {
        guard let watched = sagas[position.saga], watched.version < position.version else { return [] }
        sagas[position.saga]?.version = position.version
        return watched.signals.filter { position.hasOutcome || $0.occasion == .step }.map(\.signal)
    }

    /// The sagas that somebody waits for, at most `limit`.
    func watched(_ limit: Int) -> [SagaID] {
        sagas.withLock { Array($0.keys.prefix(limit)) }
    }

    /// The latest version of the saga that was heard of while it was watched; 0 if there was none.
    package func version(of saga: SagaID) -> Int {
        sagas.withLock { $0[saga]?.version ?? 0 }
    }

    /// A signal that rings when the saga comes to this; give it back with `leave`.
    package func enter(_ saga: SagaID, for occasion: Occasion) -> Watch {
        let watch = Watch(saga: saga, token: tokens.add(1, ordering: .relaxed).newValue, signal: AsyncSignal())
        sagas.withLock { sagas in
            // Whoever comes later may wait for what the others have heard already.
            sagas[saga, default: Watched()].version = 0
            sagas[saga]?.signals.append((watch.token, occasion, watch.signal))
        }
        return watch
    }

    package func leave(_ watch: Watch) {
        sagas.withLock { sagas in
            sagas[watch.saga]?.signals.removeAll { $0.token == watch.token }
            if sagas[watch.saga]?.signals.isEmpty ?? false { sagas[watch.saga] = nil }
        }
    }

    package struct Watch: Sendable {
        let saga: SagaID
        fileprivate let token: UInt64
        package let signal: AsyncSignal
    }
}

/// Finds what other processes did to the sagas that somebody waits for here: one query a period, and none while nobody
/// waits.
package struct SagaLookout<Definition: SagaDefinition>: PeriodicJob {
    package let name = "saga lookout"
    package static var period: Duration { .milliseconds(500) }
    private static var limit: Int { 10_000 }

    let watchers: SagaWatchers
    let queries: SagaQueries<Definition>

    package init(watchers: SagaWatchers, queries: SagaQueries<Definition>) {
        self.watchers = watchers
        self.queries = queries
    }

    package func runOnce() async throws -> Int {
        let watched = watchers.watched(Self.limit)
        guard !watched.isEmpty else { return 0 }
        watchers.notify(try await queries.positions(of: watched))
        return 0
    }
}
