import Contracts
import FleetRuntime
import Foundation
import Logging
import Postgres
import RabbitMQ
import Synchronization
import Testing

/// What queues outside the fleet do to its messages ends with those queues.
@Suite(.timeLimit(.minutes(1))) struct `What leaves the fleet` {
    private let broker = OutsideBroker()
    private let store = KeepingStore()
    private let messagePublisher: MessagePublisher

    init() {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let (broker, store) = (broker, store)
        let external = ExternalPublisher(outlet: broker, store: store, health: HealthRegistry(), logger: logger)
        messagePublisher = MessagePublisher(
            outlet: broker, external: { external }, application: "test", health: HealthRegistry(), logger: logger)
    }

    private func answer(to queue: String) throws -> OutgoingMessage {
        OutgoingMessage(
            try Envelope(
                id: .make(), PurchaseAccepted(sagaId: .make()), sagaID: nil, step: nil, causationID: nil,
                occurredAt: Date()), to: .upstream(queue: queue))
    }

    private func event() throws -> OutgoingMessage {
        OutgoingMessage(
            try Envelope(
                id: .make(), PurchaseRefused(sagaId: .make(), eventId: .make(), userId: "u", reason: "sold-out"),
                sagaID: nil, step: nil, causationID: nil, occurredAt: Date()), to: .listeners)
    }

    private func command() throws -> OutgoingMessage {
        OutgoingMessage(
            try Envelope(
                id: .make(), SeatsReleased(), sagaID: .make(), step: 1, causationID: nil, occurredAt: Date()),
            to: .orchestrator)
    }

    @Test func `is kept when its queue is full, and holds nothing else`() async throws {
        broker.refusing.withLock { $0 = ["full"] }
        let messages = [try answer(to: "full"), try answer(to: "read"), try command()]
        try await messagePublisher.send(messages)
        #expect(store.kept == [messages[0].envelope.id.description])
        #expect(Set(broker.taken) == ["read", "orchestrator"])
        #expect(broker.tried.count { $0 == "full" } == 1)
    }

    @Test func `is not tried again on the way of a batch while its queue has just refused`() async throws {
        broker.refusing.withLock { $0 = ["full"] }
        for _ in 1...3 { try await messagePublisher.send([try answer(to: "full"), try answer(to: "read")]) }
        #expect(broker.tried.count { $0 == "full" } == 1)
        #expect(store.kept.count == 3)
        #expect(broker.taken == ["read", "read", "read"])
    }

    @Test func `is not published again as an event when a listener refused it`() async throws {
        broker.refusing.withLock { $0 = ["purchase.refused"] }
        try await messagePublisher.send([try event(), try command()])
        #expect(broker.tried.count { $0 == "purchase.refused" } == 1)
        #expect(store.kept.isEmpty)
    }

    @Test func `is kept when its queue breaks every connection, and the others get theirs`() async throws {
        broker.breaking.withLock { $0 = ["poison"] }
        let messages = [try answer(to: "read"), try answer(to: "poison"), try event(), try command()]
        try await messagePublisher.send(messages)
        #expect(store.kept == [messages[1].envelope.id.description])
        #expect(Set(broker.taken) == ["read", "purchase.refused", "orchestrator"])
        let before = broker.opened.withLock { $0 }
        try await messagePublisher.send([try answer(to: "poison"), try answer(to: "read")])
        #expect(broker.opened.withLock { $0 } == before, "it is left alone for a while")
    }

    @Test func `is kept although the store's database is away for a moment`() async throws {
        broker.refusing.withLock { $0 = ["full"] }
        store.failures.withLock { $0 = 2 }
        try await messagePublisher.send([try answer(to: "full")])
        #expect(store.kept.count == 1)
    }

    @Test func `is confirmed before the rest is sent, where nothing comes again`() async throws {
        try await messagePublisher.sendInTurn([try command(), try event(), try answer(to: "read")])
        #expect(broker.taken.last == "orchestrator" && broker.taken.count == 3)
    }
}

/// A broker whose queues refuse, or break the connection.
private final class OutsideBroker: Outlet {
    let refusing = Mutex<Set<String>>([])
    let breaking = Mutex<Set<String>>([])
    let opened = Mutex(0)
    private let log = Mutex<(tried: [String], taken: [String])>(([], []))

    var tried: [String] { log.withLock { $0.tried } }
    var taken: [String] { log.withLock { $0.taken } }

    func open() async throws { opened.withLock { $0 += 1 } }
    func close() async {}

    func publish(_ batch: [Publication]) async throws -> [Refusal] {
        log.withLock { $0.tried += batch.map(\.routingKey) }
        let breaking = breaking.withLock { $0 }
        guard !batch.contains(where: { breaking.contains($0.routingKey) }) else {
            throw BrokerError(.connectionLost, during: "publish", "541")
        }
        let refusing = refusing.withLock { $0 }
        let refused = batch.indices.filter { refusing.contains(batch[$0].routingKey) }
        log.withLock { $0.taken += batch.map(\.routingKey).filter { !refusing.contains($0) } }
        return refused.map { Refusal(index: $0, reason: .nacked) }
    }
}

/// Keeps message ids, after as many failures as it was told.
private final class KeepingStore: UndeliveredStore {
    let failures = Mutex(0)
    private let ids = Mutex<[String]>([])

    var kept: [String] { ids.withLock { $0 } }

    func keep(_ messages: [UndeliveredMessage]) async throws -> Int {
        let mustFail = failures.withLock { failures in
            failures -= failures > 0 ? 1 : 0
            return failures > 0
        }
        if mustFail { throw PostgresError(.connectionLost, operation: "keep", detail: "scripted") }
        ids.withLock { $0 += messages.compactMap(\.publication.properties.messageID) }
        return 0
    }
}
