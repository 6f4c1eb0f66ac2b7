import Contracts
import Engine
import FoundationEssentials
import SagaCore

/// The answer to what was accepted and goes on by itself: a start, a cancel, a refund.
struct AcceptedAnswer: Encodable {
    let sagaId: SagaID
    let state: String
    let links: Links

    init(_ id: SagaID, state: String) {
        sagaId = id
        self.state = state
        links = Links(id)
    }
}

struct Links: Encodable {
    let `self`: String
    let stream: String
    let cancel: String
    let refund: String

    init(_ id: SagaID) {
        self.`self` = "/sagas/\(id)"
        stream = "/sagas/\(id)/stream"
        cancel = "/sagas/\(id)/cancel"
        refund = "/sagas/\(id)/refund"
    }
}

/// One saga as HTTP shows it.
struct SagaAnswer: Encodable {
    let sagaId: SagaID
    let state: String
    let outcome: String?
    let reason: String?
    let available: Int?
    let eventId: EventID
    let userId: String
    let tier: String
    let quantity: Int
    let seats: [String]?
    let amount: Money
    let deadline: Date?
    let tickets: [TicketAnswer]?
    let needsAttention: String?
    let traceId: String?
    let createdAt: Date
    let updatedAt: Date
    let timeline: [TimelineEntry]?
    let links: Links

    init(_ saga: SagaSummary<PurchaseSaga>) {
        self.init(saga, facts: nil, timeline: nil)
    }

    init(_ history: SagaHistory<PurchaseSaga>) {
        self.init(history.saga, facts: history.facts, timeline: history.timeline.map(TimelineEntry.init))
    }

    private init(_ saga: SagaSummary<PurchaseSaga>, facts: PurchaseFacts?, timeline: [TimelineEntry]?) {
        sagaId = saga.id
        state = saga.state.tag
        outcome = saga.state.outcome
        reason = saga.state.reason
        available = saga.state.available
        eventId = saga.request.eventId
        userId = saga.request.userId
        tier = saga.request.tier
        quantity = saga.request.quantity
        seats = (facts?.seats).flatMap { $0.isEmpty ? nil : $0 } ?? saga.request.seats
        amount = saga.request.amount
        deadline = facts?.deadline
        tickets = facts?.tickets.map { TicketAnswer($0, isValid: saga.state == .completed) }
        needsAttention = saga.needsAttention
        traceId = saga.traceID
        createdAt = saga.createdAt
        updatedAt = saga.updatedAt
        self.timeline = timeline
        links = Links(saga.id)
    }
}

/// One ticket, and whether it opens a door: those of a purchase that is given back are void.
struct TicketAnswer: Encodable {
    enum Status: String, Encodable { case valid, void }

    let id: TicketID
    let tier: String
    let seat: String?
    let status: Status

    init(_ ticket: IssuedTicket, isValid: Bool) {
        id = ticket.id
        tier = ticket.tier
        seat = ticket.seat
        status = isValid ? .valid : .void
    }
}

/// One line of a saga's history.
struct TimelineEntry: Encodable {
    let at: Date
    let input: String
    let from: String?
    let to: String
    let effects: [String]

    init(_ entry: JournalEntry<PurchaseSaga>) {
        at = entry.at
        input = entry.input.name
        from = entry.from
        to = entry.to.tag
        effects = entry.effects.map(\.name)
    }
}

/// A page of a list, with the cursor of the next one.
struct Page<Item: Encodable>: Encodable {
    let items: [Item]
    let nextCursor: String?

    /// `cursor` names an item; there is a next page when this one is full.
    init(_ items: [Item], limit: Int, cursor: (Item) -> String) {
        self.items = items
        nextCursor = items.count == limit ? items.last.map(cursor) : nil
    }
}

/// One event as HTTP shows it: what was published, with its id.
struct EventAnswer: Encodable {
    let eventId: EventID
    let name: String
    let startsAt: Date
    let endsAt: Date?
    let venue: Venue
    let tiers: [PublishEvent.Tier]

    init(_ id: EventID, _ event: PublishEvent) {
        eventId = id
        name = event.name
        startsAt = event.startsAt
        endsAt = event.endsAt
        venue = event.venue
        tiers = event.tiers
    }
}
