import Connections
import Contracts
import FoundationEssentials
import Logging
import RabbitMQ
import ServiceLifecycle

/// Publishes messages until the broker has confirmed every one of them that is for the fleet.
///
/// What a broker returned or refused is sent again alone; after a lost connection the whole batch is, with the same
/// ids, and its readers recognise the repeats. What leaves the fleet goes by a way of its own, on which nobody's queue
/// can hold the rest.
package struct MessagePublisher: Sendable {
    let outlet: any Outlet
    let application: String
    let health: HealthRegistry
    let logger: Logger
    let meters: PublisherMeters
    let external: @Sendable () throws -> ExternalPublisher

    /// - Parameter external: what publishes to others, made when it is first needed; nil for one on the same connection.
    package init(
        outlet: any Outlet, external: (@Sendable () throws -> ExternalPublisher)? = nil, application: String,
        health: HealthRegistry, logger: Logger
    ) {
        let neighbour = ExternalPublisher(outlet: outlet, store: nil, health: health, logger: logger)
        self.external = external ?? { neighbour }
        self.outlet = outlet
        self.application = application
        self.health = health
        self.logger = logger
        self.meters = PublisherMeters()
    }

    package func open() async throws {
        try await outlet.open()
    }

    package func close() async {
        await outlet.close()
    }

    package func publication(of message: OutgoingMessage) -> Publication {
        Publication(message, from: application)
    }

    package func send(_ messages: [OutgoingMessage]) async throws {
        try await send(messages.map(publication))
    }

    /// Returns when everything for the fleet is confirmed, and everything for others is confirmed, kept or refused.
    /// - Throws: `Interrupted` when the process stops first; nothing may be acknowledged then.
    package func send(_ publications: [Publication]) async throws {
        guard publications.contains(where: \.isExternal) else { return try await sendAll(publications) }
        let others = publications.filter(\.isExternal)
        async let told: Void = external().send(others)
        try await sendAll(publications.filter { !$0.isExternal })
        try await told
    }

    /// Sends what leaves the fleet first, and the rest when that is confirmed, kept or refused.
    ///
    /// For messages that follow from nothing that comes again: whoever sends the commands again, because they were lost,
    /// tells of them again too.
    package func sendInTurn(_ messages: [OutgoingMessage]) async throws {
        let publications = messages.map(publication)
        try await external().send(publications.filter(\.isExternal))
        try await sendAll(publications.filter { !$0.isExternal })
    }

    private func sendAll(_ publications: [Publication]) async throws {
        var remaining = publications
        var backoff = Backoff.reconnecting
        while !remaining.isEmpty {
            do {
                let started = ContinuousClock.now
                let refusals = try await outlet.publish(remaining)
                meters.record(published: remaining.count, refused: refusals.count, took: ContinuousClock.now - started)
                let again = refusals.filter { !$0.reason.isForEver }
                for refusal in refusals where refusal.reason.isForEver {
                    leaveOut(remaining[refusal.index], refusal.reason)
                }
                guard let first = again.first else { break }
                let refused = again.map { remaining[$0.index] }
                try await pause("the broker refused \(refused.count) messages: \(first.reason)", backoff.next())
                remaining = refused
            } catch let error as BrokerError where error.code == .closed && backoff.attempts == 0 {
                _ = backoff.next()
                await reopen()
            } catch let error as any RecoverableFailure {
                try await pause("\(error)", backoff.next())
                await reopen()
            }
        }
        if backoff.attempts > 0 { health.report(.ready, for: component) }
    }

    private var component: String { "publishing" }

    /// A message that cannot be written must not hold up all that come after it.
    private func leaveOut(_ publication: Publication, _ reason: Refusal.Reason) {
        logger.error(
            "a message cannot be written, and is left out",
            metadata: ["messageId": "\(publication.properties.messageID ?? "none")", "reason": "\(reason)"])
    }

    private func reopen() async {
        do {
            try await outlet.open()
        } catch {
            logger.warning("the broker cannot be reached", metadata: ["error": "\(error)"])
        }
    }

    private func pause(_ reason: String, _ pause: Duration) async throws {
        health.report(.failed(reason), for: component)
        logger.warning("publishing waits", metadata: ["reason": "\(reason)", "pause": "\(pause)"])
        await sleepUnlessStopped(pause)
        if Task.isShuttingDownGracefully || Task.isCancelled { throw Interrupted() }
    }
}
