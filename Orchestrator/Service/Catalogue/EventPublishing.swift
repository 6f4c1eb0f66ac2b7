import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres

/// Puts events on sale: the catalogue row and the messages that follow from it, in one transaction.
package struct EventPublishing: Sendable {
    package enum Result: Sendable {
        case published(EventID)
        /// The same request came before.
        case repeated(EventID)
        case keyReused(EventID)
    }

    let pool: PostgresPool
    let relay: OutboxRelay

    package init(_ pool: PostgresPool, relay: OutboxRelay) {
        self.pool = pool
        self.relay = relay
    }

    /// Publishes a checked event once per key.
    package func publish(
        _ event: PublishEvent, key: String?, fingerprint: Data, traceparent: String?
    ) async throws -> Result {
        let id = EventID.make()
        let messages = try messages(for: event, id: id, traceparent: traceparent)
        let result: Result = try await pool.transaction { transaction in
            let inserted = try await transaction.execute(
                """
                INSERT INTO event (id, body, start_key, fingerprint) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
                """, [id.uuid, JSONB(try WireFormat.encode(event)), key, fingerprint])
            guard inserted == 1 else { return try await earlier(key, fingerprint, in: transaction) }
            try await Outbox.add(messages, in: transaction)
            return .published(id)
        }
        if case .published = result { relay.hurry() }
        return result
    }

    private func earlier(_ key: String?, _ fingerprint: Data, in transaction: Transaction) async throws -> Result {
        let rows = try await transaction.query(
            "SELECT id, fingerprint FROM event WHERE start_key = $1", [key], as: (UUID, Data).self)
        guard let (id, existing) = rows.first else { throw ConcurrentRepeat() }
        return existing == fingerprint ? .repeated(EventID(id)) : .keyReused(EventID(id))
    }

    private func messages(
        for event: PublishEvent, id: EventID, traceparent: String?
    ) throws -> [OutgoingMessage] {
        let published = EventPublished(eventId: id, name: event.name, startsAt: event.startsAt, venue: event.venue)
        return try StockParts.commands(for: event, id: id, traceparent: traceparent) + [
            OutgoingMessage(
                try Envelope(
                    id: .derived(from: id.uuid, MessageKind.eventPublished.rawValue), published, sagaID: nil,
                    step: nil, causationID: nil, occurredAt: Date(), traceparent: traceparent),
                to: .listeners)
        ]
    }
}

/// Cuts an event's stock into commands that fit a message.
enum StockParts {
    static func commands(
        for event: PublishEvent, id: EventID, traceparent: String?
    ) throws -> [OutgoingMessage] {
        try parts(of: event).enumerated().map { number, tier in
            OutgoingMessage(
                try Envelope(
                    id: .derived(from: id.uuid, "\(MessageKind.stock.rawValue).\(number)"),
                    StockEvent(eventId: id, tiers: [tier]), sagaID: nil, step: nil, causationID: nil,
                    occurredAt: Date(), traceparent: traceparent),
                to: .owner)
        }
    }

    private static func parts(of event: PublishEvent) -> [StockEvent.Tier] {
        event.tiers.flatMap { tier in
            guard let seats = tier.seats else {
                return [StockEvent.Tier(name: tier.name, capacity: tier.capacity, seats: nil, firstRank: nil)]
            }
            return stride(from: 0, to: seats.count, by: Limits.seatsPerStockMessage).map { first in
                StockEvent.Tier(
                    name: tier.name, capacity: tier.capacity,
                    seats: Array(seats[first..<min(first + Limits.seatsPerStockMessage, seats.count)]),
                    firstRank: first)
            }
        }
    }
}
