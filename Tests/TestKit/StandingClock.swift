import Connections
import Foundation
import Synchronization

/// A world in which time passes only when it is told to; who sleeps in it is woken at once.
package final class StandingClock: Surroundings {
    private let now = Mutex(ContinuousClock.now)

    package init() {}

    package var date: Date { Date() }
    package var instant: ContinuousClock.Instant { now.withLock { $0 } }
    package var executor: any TaskExecutor { globalConcurrentExecutor }

    package func sleep(for pause: Duration) async throws {
        try Task.checkCancellation()
        await Task.yield()
    }

    package func random() -> UInt64 { 0 }

    package func advance(by pause: Duration) { now.withLock { $0 += pause } }
}
