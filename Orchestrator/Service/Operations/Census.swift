import Connections
import Contracts
import FleetRuntime
import FoundationEssentials
import Logging
import SagaCore
import ServiceLifecycle
import Synchronization

/// Counts the whole fleet now and then, for metrics: scrapes show the last count and never wait for the database.
///
/// Every orchestrator counts the same, so alerts take the maximum over them.
final class Census: Service {
    private static let period = Duration.seconds(10)
    /// It may take one part in so many of the time of one connection, however much there is to count.
    private static let share = 50

    private struct Count {
        var numbers: FleetNumbers.Reading?
        var numbersAt = World.instant
        var queues: [QueueReading] = []
        var queuesAt = World.instant
    }

    private let numbers: FleetNumbers
    private let queues: QueueWatch
    private let logger: Logger
    private let count = Mutex(Count())

    init(_ numbers: FleetNumbers, _ queues: QueueWatch, metrics: PrometheusRegistry, logger: Logger) {
        self.numbers = numbers
        self.queues = queues
        self.logger = logger
        metrics.gather { [self] in samples() }
    }

    func run() async throws {
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            let began = World.instant
            await attempt("the database") { [self] in
                let reading = try await numbers.read()
                count.withLock { ($0.numbers, $0.numbersAt) = (reading, World.instant) }
            }
            await attempt("the queues") { [self] in
                let readings = try await queues.read()
                count.withLock { ($0.queues, $0.queuesAt) = (readings, World.instant) }
            }
            await sleepUnlessStopped(max(Self.period, (World.instant - began) * Self.share))
        }
    }

    /// A count that fails leaves the last one standing; its age tells.
    private func attempt(_ what: String, _ work: @escaping @Sendable () async throws -> Void) async {
        do {
            try await cancelledWhenStopping(work)
        } catch {
            logger.warning("\(what) could not be counted", metadata: ["error": "\(error)"])
        }
    }

    private func samples() -> [Sample] {
        let count = count.withLock { $0 }
        let now = World.instant
        return [
            Sample(.censusAge, [("part", "database")], (now - count.numbersAt).seconds),
            Sample(.censusAge, [("part", "queues")], (now - count.queuesAt).seconds),
        ] + (count.numbers.map(Self.samples) ?? []) + count.queues.flatMap(Self.samples)
    }

    private static func samples(_ numbers: FleetNumbers.Reading) -> [Sample] {
        let now = World.date
        func age(_ since: Date?) -> Double { since.map { max(0, now.timeIntervalSince($0)) } ?? 0 }
        return PurchaseState.openTags.map { Sample(.sagasOpen, [("state", $0)], Double(numbers.openSagas[$0] ?? 0)) }
            + QueueReading.workQueues.map {
                Sample(.deadLetters, [("queue", $0)], Double(numbers.deadLetters[$0] ?? 0))
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
