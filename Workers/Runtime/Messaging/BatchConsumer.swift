import Connections
import Contracts
import FoundationEssentials
import Logging
import RabbitMQ
import ServiceLifecycle
import Topology

/// Carries the messages of one queue through take, decide, publish and acknowledge, in batches.
///
/// An input is acknowledged only when its outputs are confirmed, so a crash anywhere before that brings it again.
/// - Important: The order publish, confirm, acknowledge is what makes recorded replies enough without an outbox.
package struct BatchConsumer: Service {
    package struct Limits: Sendable {
        /// The most messages one transaction decides.
        package var batch = 500
        /// How often a single message may fail before it is deadLettered.
        package var attempts = 5
        /// How soon somebody wants what follows from a message.
        package var urgency = Urgency.awaited

        package init(batch: Int = 500, attempts: Int = 5, urgency: Urgency = .awaited) {
            self.batch = batch
            self.attempts = attempts
            self.urgency = urgency
        }
    }

    /// How often a batch may meet a conflict with others before it is taken apart: a few moments, so that whoever is in
    /// the same batch hardly waits.
    private static let conflicts = 6
    /// The same for a part of a batch; one message alone is tried as often as a whole one.
    private static let conflictsOfPart = 2

    /// One batch waits for its confirms, one is decided, and one is on its way from the broker.
    package static let batchesAtOnce = 3

    let queue: Queue
    let inlet: any Inlet
    let messagePublisher: MessagePublisher
    let handler: any BatchHandler
    let rejection: Rejecting?
    let executor: (any TaskExecutor)?
    let limits: Limits
    let health: HealthRegistry
    let meters: ConsumerMeters
    let activity: ConsumerActivity
    let logger: Logger

    /// What the sender of a message that cannot be read is told, if it can be told; with the reason why it cannot.
    package typealias Rejecting = @Sendable (_ delivery: Delivery, _ reason: String) throws -> OutgoingMessage?

    /// - Parameters:
    ///   - rejection: nil where nobody outside the fleet sends to the queue.
    ///   - executor: the thread that most of the work would change to anyway, that of the lane's connections.
    package init(
        queue: Queue, inlet: any Inlet, messagePublisher: MessagePublisher, handler: any BatchHandler,
        rejecting rejection: Rejecting? = nil,
        on executor: (any TaskExecutor)? = nil, limits: Limits,
        health: HealthRegistry, activity: ConsumerActivity? = nil, logger: Logger
    ) {
        self.queue = queue
        self.inlet = inlet
        self.messagePublisher = messagePublisher
        self.handler = handler
        self.rejection = rejection
        self.executor = executor
        self.limits = limits
        self.health = health
        self.meters = ConsumerMeters(queue: queue)
        self.activity = activity ?? ConsumerActivity(queue: queue)
        var logger = logger
        logger[metadataKey: "queue"] = "\(queue.name)"
        self.logger = logger
    }

    /// Works until the process is asked to stop; then the batch in hand is finished and acknowledged.
    package func run() async throws {
        try await withGracefulShutdownHandler {
            try await withTaskExecutorPreference(executor) { try await work() }
        } onGracefulShutdown: {
            inlet.interrupt()
        }
    }

    private func work() async throws {
        var backoff = Backoff.reconnecting
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            do {
                try await inlet.open()
                try await messagePublisher.open()
                health.report(.ready, for: component)
                backoff.reset()
                try await consume()
            } catch is Interrupted {
                break
            } catch {
                await recover(from: error, pausing: backoff.next())
            }
        }
        await inlet.close()
        await messagePublisher.close()
    }

    private var component: String { "queue \(queue.name)" }

    /// A batch that is decided and committed, and what must be confirmed before it may be acknowledged.
    private struct Decided: Sendable {
        let lastTag: UInt64
        let outputs: [Publication]
        let tally: BatchTally
        let pace: AdaptiveBatching
    }

    /// Decides the next batch while the one before waits for its confirms; batches are settled in order.
    private func consume() async throws {
        var decided = try await nextDecided(
            at: AdaptiveBatching(fullBatch: limits.batch, breath: limits.urgency.breath, at: RuntimeEnvironment.instant)
        )
        while let batch = decided {
            async let following = nextDecided(at: batch.pace)
            try await settle(batch)
            decided = try await following
        }
        try await inlet.cancel()
    }

    /// Waits for messages and decides them; nil when the process is asked to stop.
    private func nextDecided(at pace: AdaptiveBatching) async throws -> Decided? {
        while true {
            let deliveries = try await inlet.take(upTo: limits.batch, notBefore: pace.resumption)
            if let last = deliveries.last {
                return try await decide(deliveries, through: last.tag, at: pace)
            }
            if Task.isShuttingDownGracefully || Task.isCancelled { return nil }
        }
    }

    private func decide(_ deliveries: [Delivery], through lastTag: UInt64, at pace: AdaptiveBatching) async throws
        -> Decided
    {
        let began = RuntimeEnvironment.instant
        FaultPoint.taken.pass()
        let letters = deliveries.map(DecodedDelivery.init)
        var tally = BatchTally(oldestAge: Self.age(of: deliveries))
        let outcomes = try await decide(letters.compactMap(\.envelope)[...], conflicts: Self.conflicts)
        let outputs = try publications(for: deliveries, letters, outcomes, counting: &tally)
        let pace = pace.deciding(deliveries.count, from: began, to: RuntimeEnvironment.instant)
        return Decided(lastTag: lastTag, outputs: outputs, tally: tally, pace: pace)
    }

    private func settle(_ batch: Decided) async throws {
        try await messagePublisher.send(batch.outputs)
        FaultPoint.beforeAcknowledging.pass()
        try await inlet.acknowledge(through: batch.lastTag)
        FaultPoint.acknowledged.pass()
        let time = RuntimeEnvironment.instant - batch.pace.began
        meters.record(batch.tally, took: time)
        activity.record(batch.tally, took: time)
    }

    /// A queue delivers the oldest first, but for what was handed back; a message says when it was sent, to the second.
    private static func age(of deliveries: [Delivery]) -> Duration? {
        guard let sent = deliveries.first?.properties.timestamp, sent > 0 else { return nil }
        return .seconds(max(0, RuntimeEnvironment.date.timeIntervalSince1970.rounded(.down) - Double(sent)))
    }

    /// Decides a batch as a whole; where that fails for good, decides its halves, down to the one message at fault.
    private func decide(_ batch: ArraySlice<Envelope>, conflicts: Int) async throws -> [Outcome] {
        guard !batch.isEmpty else { return [] }
        do {
            return try await untilRecovered(batch.count == 1 ? Self.conflicts : conflicts) {
                try await handler.handle(Array(batch))
            }
        } catch let error as Interrupted {
            throw error
        } catch {
            guard batch.count > 1 else { return [outcome(of: error, for: batch[batch.startIndex])] }
            logger.debug("a batch failed and is split", metadata: ["size": "\(batch.count)", "error": "\(error)"])
            let middle = batch.startIndex + batch.count / 2
            return try await decide(batch[..<middle], conflicts: Self.conflictsOfPart)
                + decide(batch[middle...], conflicts: Self.conflictsOfPart)
        }
    }

    /// Repeats `work` while its errors are transient: nothing is consumed meanwhile, and no attempt is used up.
    ///
    /// A server that is away is waited for. A conflict passes with whoever was in the way; what is in conflict so many
    /// times without anything else happening is at fault itself, and its error is thrown like any other.
    private func untilRecovered<R: Sendable>(
        _ conflicts: Int, _ work: () async throws -> R
    ) async throws -> R {
        var backoff = Backoff.reconnecting
        var soon = Backoff(base: .milliseconds(5), limit: .milliseconds(100))
        while true {
            do {
                let result = try await work()
                if backoff.attempts > 0 { health.report(.ready, for: component) }
                return result
            } catch let error as any RecoverableFailure where error.isTransient {
                meters.countTransientFailure()
                if error.isConflict {
                    let pause = soon.next()
                    guard soon.attempts < conflicts else {
                        meters.countLastingConflict()
                        logger.warning("a conflict does not end", metadata: ["error": "\(error)"])
                        throw error
                    }
                    await sleepUnlessStopped(pause)
                } else {
                    await recover(from: error, pausing: backoff.next())
                }
                if Task.isShuttingDownGracefully || Task.isCancelled { throw Interrupted() }
            }
        }
    }

    private func recover(from error: any Error, pausing pause: Duration) async {
        health.report(.failed("\(error)"), for: component)
        logger.warning(
            "the queue cannot be worked on, and is tried again", metadata: ["error": "\(error)", "pause": "\(pause)"])
        await sleepUnlessStopped(pause)
    }

    private func outcome(of error: any Error, for envelope: Envelope) -> Outcome {
        activity.noteFailure("\(error)")
        guard envelope.attempt < limits.attempts else { return .deadLetter(reason: "failed: \(error)") }
        let tier: RetryTier = envelope.attempt == 1 ? .second : envelope.attempt == 2 ? .tenSeconds : .minute
        return .retry(after: tier.pause, reason: "\(error)")
    }

    private func publications(
        for deliveries: [Delivery], _ letters: [DecodedDelivery], _ outcomes: [Outcome],
        counting tally: inout BatchTally
    ) throws -> [Publication] {
        var outputs: [Publication] = []
        outputs.reserveCapacity(deliveries.count * 2)
        var decided = outcomes.makeIterator()
        for (delivery, letter) in zip(deliveries, letters) {
            switch letter {
            case .unreadable(let reason):
                tally.deadLettered += 1
                outputs.append(deadLetter(delivery, because: reason, attempt: 1))
                if let answer = try rejection?(delivery, reason) {
                    outputs.append(messagePublisher.publication(of: answer))
                }
            case .readable(let envelope):
                guard let outcome = decided.next() else { preconditionFailure("a handler left out an outcome") }
                append(outcome, of: envelope, in: delivery, to: &outputs, counting: &tally)
            }
        }
        return outputs
    }

    private func append(
        _ outcome: Outcome, of envelope: Envelope, in delivery: Delivery, to outputs: inout [Publication],
        counting tally: inout BatchTally
    ) {
        switch outcome {
        case .reply(let messages):
            tally.handled += 1
            for message in messages { outputs.append(messagePublisher.publication(of: message)) }
        case .retry(_, let reason) where envelope.attempt >= limits.attempts:
            tally.deadLettered += 1
            outputs.append(deadLetter(delivery, because: "attempts used up: \(reason)", attempt: envelope.attempt))
        case .retry(let pause, let reason):
            tally.retried += 1
            var facts = envelope.facts
            facts["reason"] = "\(reason)"
            logger.info("retrying", metadata: facts)
            outputs.append(Publication(retrying: delivery, of: queue, attempt: envelope.attempt, after: pause))
        case .deadLetter(let reason, let answers):
            tally.deadLettered += 1
            outputs.append(deadLetter(delivery, because: reason, attempt: envelope.attempt))
            for message in answers { outputs.append(messagePublisher.publication(of: message)) }
        }
    }

    private func deadLetter(_ delivery: Delivery, because reason: String, attempt: Int) -> Publication {
        var facts = delivery.facts
        facts["reason"] = "\(reason)"
        logger.error("buried", metadata: facts)
        return Publication(burying: delivery, of: queue, because: reason, attempt: attempt, at: RuntimeEnvironment.date)
    }
}

extension DecodedDelivery {
    fileprivate var envelope: Envelope? {
        switch self {
        case .readable(let envelope): envelope
        case .unreadable: nil
        }
    }
}
