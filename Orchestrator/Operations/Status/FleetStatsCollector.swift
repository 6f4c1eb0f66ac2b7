import Connections
import Contracts
import FleetInspection
import FleetRuntime
import FoundationEssentials
import Logging
import SagaCore
import ServiceLifecycle
import Synchronization

/// Counts the whole fleet now and then, for metrics: scrapes show the last count and never wait for the database.
///
/// Every orchestrator counts the same, so alerts take the maximum over them.
package final class FleetStatsCollector: Service {
    private static let period = Duration.seconds(10)
    /// Counting may take one part in so many of the time of one connection, however much there is to count.
    private static let share = 50
    /// Counting is never rarer than this, for alerts must not go blind.
    private static let longestPause = Duration.seconds(60)
    /// Whoever asks waits this long for numbers of this moment; where counting takes longer, the last count must do.
    private static let patience = Duration.milliseconds(100)

    private struct Count {
        var numbers: FleetNumbers.Reading?
        var numbersAt = RuntimeEnvironment.instant
        var counting = Duration.zero
        var queues: [QueueReading] = []
        var queuesAt = RuntimeEnvironment.instant
    }

    private let numbers: FleetNumbers
    private let queues: QueueWatch
    private let outages: Outages
    private let logger: Logger
    private let count = Mutex(Count())

    package init(
        _ numbers: FleetNumbers, _ queues: QueueWatch, outages: Outages, metrics: PrometheusRegistry, logger: Logger
    ) {
        self.numbers = numbers
        self.queues = queues
        self.outages = outages
        self.logger = logger
        metrics.gather { [self] in samples() }
    }

    package func run() async throws {
        async let database: Void = keepCounting("the database") { [self] in
            _ = try await outages.watching(.database) { try await readNumbers() }
        }
        async let broker: Void = keepCounting("the queues") { [self] in
            let readings = try await outages.watching(.broker) { try await queues.read() }.queues
            count.withLock { ($0.queues, $0.queuesAt) = (readings, RuntimeEnvironment.instant) }
        }
        _ = await (database, broker)
    }

    /// The numbers of this moment, or those of the last count if counting takes long.
    func latest() async throws -> FleetNumbers.Reading {
        let count = count.withLock { $0 }
        if let numbers = count.numbers, count.counting > Self.patience { return numbers }
        return try await readNumbers()
    }

    /// The last count, however old.
    var last: FleetNumbers.Reading? { count.withLock { $0.numbers } }

    private func readNumbers() async throws -> FleetNumbers.Reading {
        let began = RuntimeEnvironment.instant
        let reading = try await numbers.read()
        let now = RuntimeEnvironment.instant
        count.withLock { ($0.numbers, $0.numbersAt, $0.counting) = (reading, now, now - began) }
        return reading
    }

    /// A count that fails leaves the last one standing; its age tells.
    private func keepCounting(_ what: String, _ work: @escaping @Sendable () async throws -> Void) async {
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            let began = RuntimeEnvironment.instant
            do {
                try await cancelledWhenStopping(work)
            } catch {
                if Task.isShuttingDownGracefully || Task.isCancelled { return }
                logger.warning("\(what) could not be counted", metadata: ["error": "\(error)"])
            }
            let rest = (RuntimeEnvironment.instant - began) * Self.share
            await sleepUnlessStopped(min(max(Self.period, rest), Self.longestPause))
        }
    }

    private func samples() -> [Sample] {
        let count = count.withLock { $0 }
        let now = RuntimeEnvironment.instant
        return [
            Sample(.censusAge, [("part", "database")], (now - count.numbersAt).seconds),
            Sample(.censusAge, [("part", "queues")], (now - count.queuesAt).seconds),
        ] + (count.numbers.map(Self.samples) ?? []) + count.queues.flatMap(Self.samples)
    }

    private static func samples(_ numbers: FleetNumbers.Reading) -> [Sample] {
        let now = RuntimeEnvironment.date
        func age(_ since: Date?) -> Double { since.map { max(0, now.timeIntervalSince($0)) } ?? 0 }
        return PurchaseState.openTags.map { Sample(.sagasOpen, [("state", $0)], Double(numbers.openSagas[$0] ?? 0)) }
            + QueueReading.workQueues.map {
                Sample(.deadLetters, [("queue", $0)], Double(numbers.deadLetters[$0] ?? 0))
            }
            + NonDelivery.allCases.map {
                Sample(
                    .undeliveredAnswers, [("reason", $0.rawValue)], Double(numbers.undelivered[$0.rawValue] ?? 0))
            }
            + [
                Sample(.sagaOldestAge, age(numbers.oldestOpen?.since)),
                Sample(.sagasNeedingAttention, Double(numbers.needingAttention)),
                Sample(.holdsActive, Double(numbers.heldTickets)), Sample(.outboxPending, Double(numbers.outbox)),
                Sample(.outboxOldestAge, age(numbers.outboxOldest)),
            ]
    }

    private static func samples(_ queue: QueueReading) -> [Sample] {
        let labels = [("queue", queue.name)]
        var samples = [Sample(.queueMessages, labels, Double(queue.ready))]
        if queue.purpose == .work { samples.append(Sample(.queueConsumers, labels, Double(queue.consumers))) }
        if let unacked = queue.unacked {
            samples.append(Sample(.queueUnacked, labels, Double(unacked)))
            if queue.purpose != .retry {
                samples.append(Sample(.queueOldestAge, labels, Double(queue.oldestAgeSeconds ?? 0)))
            }
        }
        return samples
    }
}
