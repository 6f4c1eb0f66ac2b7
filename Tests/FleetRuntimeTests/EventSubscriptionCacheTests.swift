import Contracts
import FleetRuntime
import Foundation
import Logging
import RabbitMQ
import Synchronization
import Testing

/// Events that nobody listens to cost one message a batch; those with listeners all arrive.
@Suite struct `A messagePublisher with events` {
    /// A broker that returns mandatory events of the kinds that nobody has bound.
    private final class Broker: Outlet {
        let bound = Mutex<Set<String>>([])
        let published = Mutex<[String]>([])

        func open() async throws {}
        func close() async {}

        func publish(_ batch: [Publication]) async throws -> [Refusal] {
            published.withLock { $0 += batch.map(\.routingKey) }
            let bound = bound.withLock { $0 }
            return batch.indices
                .filter { batch[$0].isMandatory && batch[$0].exchange == "turnstile.events" }
                .filter { !bound.contains(batch[$0].routingKey) }
                .map { Refusal(index: $0, reason: .returned(code: 312, text: "NO_ROUTE")) }
        }

        func take() -> [String] {
            published.withLock { published in
                defer { published = [] }
                return published
            }
        }
    }

    private let broker = Broker()

    private var messagePublisher: MessagePublisher {
        MessagePublisher(
            outlet: broker, application: "test", health: HealthRegistry(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func messages(_ count: Int) throws -> [OutgoingMessage] {
        try (0..<count).flatMap { _ in
            let saga = SagaID.make()
            let buyer = PurchaseRefused(sagaId: saga, eventId: .make(), userId: "u", reason: "sold-out")
            return [
                OutgoingMessage(
                    try Envelope(
                        id: .make(), buyer, sagaID: saga, step: 1, causationID: nil, occurredAt: Date()),
                    to: .listeners),
                OutgoingMessage(
                    try Envelope(
                        id: .make(), SeatsReleased(), sagaID: saga, step: 1, causationID: nil, occurredAt: Date()),
                    to: .orchestrator),
            ]
        }
    }

    @Test func `sends one event ahead and keeps back the rest while nobody listens`() async throws {
        let messagePublisher = messagePublisher
        for _ in 1...2 {
            try await messagePublisher.send(messages(5))
            let published = broker.take()
            #expect(published.count { $0 == "purchase.refused" } == 1)
            #expect(published.count { $0 == "orchestrator" } == 5)
        }
    }

    @Test func `sends every event of the batch in which it finds a listener, and from then on all at once`()
        async throws
    {
        let messagePublisher = messagePublisher
        try await messagePublisher.send(messages(5))
        _ = broker.take()
        broker.bound.withLock { _ = $0.insert("purchase.refused") }
        for _ in 1...2 {
            try await messagePublisher.send(messages(5))
            #expect(broker.take().count { $0 == "purchase.refused" } == 5)
        }
    }

    @Test func `notices that the listener has gone`() async throws {
        let messagePublisher = messagePublisher
        broker.bound.withLock { _ = $0.insert("purchase.refused") }
        try await messagePublisher.send(messages(5))
        broker.bound.withLock { $0 = [] }
        try await messagePublisher.send(messages(5))
        _ = broker.take()
        try await messagePublisher.send(messages(5))
        #expect(broker.take().count { $0 == "purchase.refused" } == 1)
    }
}
