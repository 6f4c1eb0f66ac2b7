import Connections
import Contracts
import Logging
import RabbitMQ
import ServiceLifecycle
import Topology

/// Publishes what goes to queues outside the fleet: answers to upstream systems, and events to whoever listens.
///
/// It has a connection of its own, and what such a queue does to it ends with that queue: an answer that is not taken is
/// kept in a store and sent again from there; an event that a queue refuses is not sent again, for the others have it.
/// Nothing waits here: whoever sends holds the messages until each is confirmed, kept or given up.
package final class ExternalPublisher: Sendable {
    /// How long the broker may take to answer for a batch.
    package static let answerLimit = Duration.seconds(1)
    /// After so many lost connections in a row, a batch's queues are published to one after another.
    static let lossesAtMost = 2

    private let outlet: any Outlet
    private let store: (any UndeliveredStore)?
    private let health: HealthRegistry
    private let logger: Logger
    private let meters = PublisherMeters()
    private let losses = ExternalMeters()
    private let subscriptions = EventSubscriptionCache()
    private let suspensions = Suspensions()

    /// - Parameter store: where answers are kept that are not taken; nil in a process that answers nobody.
    package init(outlet: any Outlet, store: (any UndeliveredStore)?, health: HealthRegistry, logger: Logger) {
        self.outlet = outlet
        self.store = store
        self.health = health
        self.logger = logger
    }

    /// Returns when each message is confirmed, kept in the store, or refused as an event.
    ///
    /// - Throws: `Interrupted` when the process stops first; nothing may be acknowledged then.
    package func send(_ publications: [Publication]) async throws {
        guard !publications.isEmpty else { return }
        let (open, suspended) = suspensions.divide(publications, at: RuntimeEnvironment.instant)
        try await keep(suspended)
        let (first, later) = subscriptions.divide(open)
        try await deliver(first)
        try await deliver(later.filter(subscriptions.isListening))
    }

    /// Ends the connection; the next send opens it again.
    package func close() async {
        await outlet.close()
    }

    private func deliver(_ publications: [Publication]) async throws {
        guard !publications.isEmpty else { return }
        var backoff = Backoff(base: .milliseconds(50), limit: .seconds(5))
        var losses = 0
        while true {
            do {
                let started = ContinuousClock.now
                let refusals = try await outlet.publish(publications)
                meters.record(published: publications.count, refused: 0, took: ContinuousClock.now - started)
                if backoff.attempts > 1 { health.report(.ready, for: Self.component) }
                return try await settle(subscriptions.learn(from: refusals, to: publications), of: publications)
            } catch let error as BrokerError where error.code == .closed && backoff.attempts == 0 {
                _ = backoff.next()
                _ = await reopen()
            } catch let error as any RecoverableFailure {
                try await pause("\(error)", backoff.next())
                losses = await reopen() && error.isLostConnection ? losses + 1 : 0
                if losses >= Self.lossesAtMost, publications.contains(where: \.isAnswer) {
                    return try await isolate(publications)
                }
            }
        }
    }

    /// Somebody's queue may be what ends the connection: each queue is published to alone.
    private func isolate(_ publications: [Publication]) async throws {
        let queues = Dictionary(grouping: publications, by: \.address)
        for (_, group) in queues.sorted(by: { $0.key < $1.key }) {
            guard queues.count == 1 else {
                try await deliver(group)
                continue
            }
            try await settle(group.map { UndeliveredMessage($0, because: .broken) })
        }
    }

    private func settle(_ refusals: [Refusal], of publications: [Publication]) async throws {
        guard !refusals.isEmpty else { return }
        try await settle(
            refusals.compactMap { refusal in
                let publication = publications[refusal.index]
                guard let reason = NonDelivery(refusal.reason) else {
                    leaveOut(publication, refusal.reason)
                    return nil
                }
                return UndeliveredMessage(publication, because: reason)
            })
    }

    private func settle(_ undelivered: [UndeliveredMessage]) async throws {
        self.losses.record(undelivered)
        let answers = undelivered.filter(\.publication.isAnswer)
        if answers.count < undelivered.count {
            logger.info("events were refused", metadata: ["events": "\(undelivered.count - answers.count)"])
        }
        for answer in answers {
            suspensions.suspend(answer.queue, because: answer.reason, at: RuntimeEnvironment.instant)
        }
        try await keep(answers)
    }

    /// Puts answers into the store, however long its database is away.
    private func keep(_ answers: [UndeliveredMessage]) async throws {
        guard !answers.isEmpty else { return }
        guard let store else {
            logger.warning("answers were not taken", metadata: ["messages": "\(answers.count)"])
            return
        }
        var backoff = Backoff(base: .milliseconds(50), limit: .seconds(5))
        while true {
            do {
                let lost = try await store.keep(answers)
                losses.count(lost: lost)
                if lost > 0 { logger.error("answers were given up", metadata: ["messages": "\(lost)"]) }
                return
            } catch let error as any RecoverableFailure where error.isTransient {
                try await pause("\(error)", backoff.next())
            }
        }
    }

    private static let component = "publishing outside"

    private func leaveOut(_ publication: Publication, _ reason: Refusal.Reason) {
        logger.error(
            "a message cannot be written, and is left out",
            metadata: ["messageId": "\(publication.properties.messageID ?? "none")", "reason": "\(reason)"])
    }

    private func reopen() async -> Bool {
        do {
            try await outlet.open()
            return true
        } catch {
            health.report(.failed("\(error)"), for: Self.component)
            logger.warning("the broker cannot be reached", metadata: ["error": "\(error)"])
            return false
        }
    }

    private func pause(_ reason: String, _ pause: Duration) async throws {
        logger.warning("publishing outside waits", metadata: ["reason": "\(reason)", "pause": "\(pause)"])
        await sleepUnlessStopped(pause)
        if Task.isShuttingDownGracefully || Task.isCancelled { throw Interrupted() }
    }
}

extension Publication {
    /// Whether it goes to the queue of an upstream system, rather than straight to one of ours.
    var isAnswer: Bool { exchange.isEmpty && !Self.ourQueues.contains(routingKey) }

    var isEvent: Bool { exchange == Exchange.events.rawValue }

    private static let ourQueues = Set(Declarations.queues.map(\.name))

    /// Whether it leaves the fleet.
    var isExternal: Bool { isEvent || isAnswer }

    /// What it is published to, as far as refusals are concerned.
    fileprivate var address: String { isAnswer ? routingKey : "" }
}

extension RecoverableFailure {
    /// Whether the connection broke, rather than that the broker takes no messages from anybody.
    fileprivate var isLostConnection: Bool { (self as? BrokerError)?.code == .connectionLost }
}
