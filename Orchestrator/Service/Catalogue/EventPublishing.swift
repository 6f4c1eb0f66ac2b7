import Connections
import Contracts
import FleetRuntime
import FoundationEssentials

/// Puts events on sale: the catalogue row and the messages that follow from it, in one transaction.
package struct EventPublishing: Sendable {
    package enum Result: Sendable {
        case published(EventID)
        /// The same request came before.
        case repeated(EventID)
        case keyReused(EventID)
    }

    let book: any EventBook
    let relay: OutboxRelay

    package init(_ book: any EventBook, relay: OutboxRelay) {
        self.book = book
        self.relay = relay
    }

    /// Publishes a checked event once per key.
    package func publish(
        _ event: PublishEvent, key: String?, fingerprint: Data, traceparent: String?
    ) async throws -> Result {
        let id = EventID.fresh()
        let messages = try messages(for: event, id: id, traceparent: traceparent ?? TraceContext.root(id))
        let result = try await book.add(
            NewEvent(id: id, event: event, key: key, fingerprint: fingerprint), messages)
        if case .published = result { relay.hurry() }
        return result
    }

    private func messages(
        for event: PublishEvent, id: EventID, traceparent: String
    ) throws -> [OutgoingMessage] {
        let published = EventPublished(eventId: id, name: event.name, startsAt: event.startsAt, venue: event.venue)
        return try StockParts.commands(for: event, id: id, traceparent: traceparent) + [
            OutgoingMessage(
                try Envelope(
                    id: .derived(from: id.uuid, MessageKind.eventPublished.rawValue), published, sagaID: nil,
                    step: nil, causationID: nil, occurredAt: World.date, traceparent: traceparent),
                to: .listeners)
        ]
    }
}

/// Cuts an event's stock into commands that fit a message.
enum StockParts {
    static func commands(
        for event: PublishEvent, id: EventID, traceparent: String
    ) throws -> [OutgoingMessage] {
        try parts(of: event).enumerated().map { number, tier in
            OutgoingMessage(
                try Envelope(
                    id: .derived(from: id.uuid, "\(MessageKind.stock.rawValue).\(number)"),
                    StockEvent(eventId: id, tiers: [tier]), sagaID: nil, step: nil, causationID: nil,
                    occurredAt: World.date, traceparent: traceparent),
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
