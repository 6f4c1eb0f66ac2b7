import Contracts
import Postgres
import Reservation

/// The schema `reservation` in memory.
package struct ReservationTables: HasInbox {
    package struct Ticket: Sendable {
        package let ticket: StockChanges.NewTicket
        package var isValid: Bool
    }

    package var tiers: [TierID: Tier] = [:]
    package var holds: [SagaID: Hold] = [:]
    package var seats: [TierID: [ExactText: Seat]] = [:]
    package var tickets: [TicketID: Ticket] = [:]
    package var inbox: [MessageID: [OutgoingMessage]] = [:]

    package init() {}

    /// `tier_is_not_oversold`.
    mutating func set(_ tier: Tier) throws {
        guard tier.held >= 0, tier.sold >= 0, tier.held + tier.sold <= tier.capacity else {
            throw MemoryDatabase<Self>.failure(.checkViolation, "tier", constraint: "tier_is_not_oversold")
        }
        tiers[tier.id] = tier
    }

    /// `ticket_pkey` and `ticket_seat_is_sold_once`.
    mutating func add(_ ticket: StockChanges.NewTicket) throws {
        let isSold = tickets.values.contains { other in
            other.isValid && ticket.isValid && ticket.ticket.seat != nil && other.ticket.event == ticket.event
                && other.ticket.ticket.tier == ticket.ticket.tier && other.ticket.ticket.seat == ticket.ticket.seat
        }
        guard !isSold, tickets[ticket.ticket.id] == nil else {
            throw MemoryDatabase<Self>.failure(.uniqueViolation, "ticket", constraint: "ticket_seat_is_sold_once")
        }
        tickets[ticket.ticket.id] = Ticket(ticket: ticket, isValid: ticket.isValid)
    }
}

extension Tier {
    /// The same tier after a change, at its next version.
    func changed(held: Int? = nil, sold: Int? = nil, stocked: Int? = nil) -> Tier {
        Tier(
            id: id, capacity: capacity, held: held ?? self.held, sold: sold ?? self.sold, isSeated: isSeated,
            stocked: stocked ?? self.stocked, version: version + 1)
    }
}

extension TierID {
    var row: RowKey { .text(.tier, "\(event) \(name)") }
}
