import Connections
import CoreMetrics
import Logging
import ServiceLifecycle

/// Work that falls due by the clock instead of by a message: claimed in the database, so replicas share it.
package protocol PeriodicJob: Sendable {
    /// For logs and health.
    var name: String { get }
    /// What a log line says when it fails; the error follows.
    var failure: String { get }
    /// Does what is due, at most a batch; returns how much that was. Safe to run on many replicas at once.
    func runOnce() async throws -> Int
}

extension PeriodicJob {
    package var failure: String { "a periodic job failed, and is tried again" }
}

/// Runs a sweep every period, and again at once while batches come back full.
package struct PeriodicJobRunner: Service {
    let work: any PeriodicJob
    let period: Duration
    /// A sweep that returns at least this many is followed by another without a pause.
    let batch: Int
    /// Rung by whoever made something due just now.
    let signal: AsyncSignal
    let health: HealthRegistry
    let logger: Logger
    private let done: Counter
    private let failures: Counter

    package init(
        _ work: any PeriodicJob, every period: Duration, batch: Int, signal: AsyncSignal = AsyncSignal(),
        health: HealthRegistry, logger: Logger
    ) {
        self.work = work
        self.period = period
        self.batch = batch
        self.signal = signal
        self.health = health
        self.logger = logger
        done = Metric.sweepItems.counter([("sweep", work.name)])
        failures = Metric.sweepFailures.counter([("sweep", work.name)])
    }

    package func run() async throws {
        var backoff = Backoff.reconnecting
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            do {
                let count = try await work.runOnce()
                done.count(count)
                health.report(.ready, for: work.name)
                backoff.reset()
                if count < batch { await signal.wait(atMost: period * RuntimeEnvironment.random(in: 0.8...1.2)) }
            } catch is Interrupted {
                break
            } catch {
                failures.increment()
                health.report(.failed("\(error)"), for: work.name)
                logger.warning("\(work.failure)", metadata: ["job": "\(work.name)", "error": "\(error)"])
                await sleepUnlessStopped(backoff.next())
            }
        }
    }
}
