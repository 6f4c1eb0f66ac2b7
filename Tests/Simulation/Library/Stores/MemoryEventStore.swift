import Catalogue
import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials
import OrchestratorService
import Reservation
import SagaCore
import WireJSON

/// The events on sale and the outbox, in memory.
package struct MemoryEventStore<Definition: PurchaseDefinition>: EventStore, Outbox {
    let session: MemorySession<OrchestratorTables<Definition>>
    /// Another schema, as its views show it.
    let stock: MemoryDatabase<ReservationTables>

    package init(
        _ session: MemorySession<OrchestratorTables<Definition>>, stock: MemoryDatabase<ReservationTables>
    ) {
        self.session = session
        self.stock = stock
    }

    package func events(_ ids: [EventID]) async throws -> [CatalogueEvent] {
        try await session.look { tables in
            ids.sorted().compactMap { id in tables.events[id].map { CatalogueEvent(id: id, event: $0.event) } }
        }
    }

    package func exists(_ id: EventID) async throws -> Bool {
        try await session.look { $0.events[id] != nil }
    }

    package func document(of id: EventID) async throws -> String? {
        guard let event = try await session.look({ $0.events[id]?.event }) else { return nil }
        return "{\"eventId\":\"\(id)\"," + String(decoding: try WireFormat.encode(event), as: UTF8.self).dropFirst()
    }

    package func page(_ limit: Int, before cursor: EventID?) async throws -> [EventSummary] {
        try await session.look { tables in
            tables.events.keys.filter { id in cursor.map { id < $0 } ?? true }.sorted(by: >).prefix(limit)
                .compactMap { id in tables.events[id].map { EventSummary(id, EventSummary.Card($0.event)) } }
        }
    }

    package func add(_ new: NewEvent, _ messages: [OutgoingMessage]) async throws -> EventPublishing.Result {
        try await session.transact { transaction in
            let now = transaction.now
            let keys = [RowKey.id(.event, new.id.uuid)] + (new.key.map { [.text(.request, $0)] } ?? [])
            return try await transaction.write(locking: keys) { tables in
                if let request = new.request, let earlier = tables.requests[request.key] {
                    return EventPublishing.Result(earlier, for: request)
                }
                if let request = new.request { tables.requests[request.key] = request }
                tables.events[new.id] = .init(
                    event: new.event, key: new.key, fingerprint: new.fingerprint, createdAt: now,
                    placesDueAt: now.addingTimeInterval(10))
                tables.enclose(messages)
                return .published(new.id)
            }
        }
    }

    package func reject(_ request: RequestRecord) async throws -> EventPublishing.Result {
        EventPublishing.Result(try await MemoryRequestStore(session).take([request])[0], for: request)
    }

    package func restock(
        _ limit: Int, with commands: @Sendable (EventID, PublishEvent) throws -> [OutgoingMessage]
    ) async throws -> Int {
        try await session.transact { transaction in
            let horizon = transaction.now.addingTimeInterval(-2)
            let rows = try await transaction.claim(
                { tables in
                    tables.events.filter { !$0.value.isStocked && $0.value.createdAt < horizon }
                        .sorted { ($0.value.createdAt, $0.key) < ($1.value.createdAt, $1.key) }
                        .map { (id: $0.key, event: $0.value.event) }
                }, key: { .id(.event, $0.id.uuid) }, limit: limit)
            guard !rows.isEmpty else { return 0 }
            let shown = stock.tables
            let stocked = rows.filter { shown.shows($0.id, $0.event) }.map(\.id)
            let missing = rows.filter { !shown.shows($0.id, $0.event) }
            let messages = try missing.flatMap { try commands($0.id, $0.event) }
            try await transaction.write(locking: rows.map { .id(.event, $0.id.uuid) }) { tables in
                for id in stocked { tables.events[id]?.isStocked = true }
                tables.enclose(messages)
            }
            return missing.count
        }
    }

    package func claim(_ limit: Int, for lease: Duration) async throws -> [OutgoingMessage] {
        try await session.transact { transaction in
            let now = transaction.now
            let due = try await transaction.claim(
                { tables in
                    tables.outbox.values.filter { $0.claimedUntil < now }.map(\.message)
                        .sorted { $0.envelope.id < $1.envelope.id }
                }, key: { .id(.outbox, $0.envelope.id.uuid) }, limit: limit)
            guard !due.isEmpty else { return [] }
            try await transaction.write(locking: due.map { .id(.outbox, $0.envelope.id.uuid) }) { tables in
                for message in due {
                    tables.outbox[message.envelope.id]?.claimedUntil = now.addingTimeInterval(lease.seconds)
                }
            }
            return due
        }
    }

    package func remove(_ messages: [MessageID]) async throws {
        try await session.transact { transaction in
            try await transaction.write(locking: messages.map { .id(.outbox, $0.uuid) }) { tables in
                for message in messages { tables.outbox[message] = nil }
            }
        }
    }
}

extension OrchestratorTables {
    mutating func enclose(_ messages: [OutgoingMessage]) {
        for message in messages where outbox[message.envelope.id] == nil {
            outbox[message.envelope.id] = RenderedMessage(message: message, claimedUntil: .distantPast)
        }
    }
}

extension ReservationTables {
    /// Whether every tier and every seat of the event is there.
    fileprivate func shows(_ event: EventID, _ published: PublishEvent) -> Bool {
        published.tiers.allSatisfy { tier in
            let id = TierID(event: event, name: tier.name)
            return tiers[id] != nil && (tier.seats?.count ?? 0) == (seats[id]?.count ?? 0)
        }
    }
}

/// The stock as the reservation worker publishes it, read by the orchestrator.
package struct MemoryStockView: StockView {
    let session: MemorySession<ReservationTables>

    package init(_ session: MemorySession<ReservationTables>) {
        self.session = session
    }

    package func left(in tiers: Set<TierKey>) async throws -> [TierKey: Int] {
        try await session.look { tables in
            tiers.reduce(into: [:]) { left, key in
                left[key] = tables.tiers[TierID(event: key.event, name: key.name)]?.available
            }
        }
    }

    package func epoch() async throws -> StockEpoch {
        try await session.look { _ in StockEpoch(stock: "simulated", whole: "simulated") }
    }

    package func availability(of event: EventID) async throws -> CachedAvailability {
        let now = session.process.universe.timeline.date
        return try await session.look { tables in
            CachedAvailability(
                asOf: now,
                tiers: tables.tiers.values.filter { $0.id.event == event }.sorted { $0.id < $1.id }
                    .map { .init(name: $0.id.name, capacity: $0.capacity, available: $0.available) })
        }
    }
}
