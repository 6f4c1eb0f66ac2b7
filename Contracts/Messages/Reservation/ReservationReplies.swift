import FoundationEssentials

/// The seats are held until the deadline, by the database's clock.
package struct SeatsReserved: Message {
    package static let kind = MessageKind.reserved
    /// The seats chosen or asked for by name; empty for a tier that is sold by count.
    package let seats: [String]
    package let deadline: Date

    package init(seats: [String], deadline: Date) {
        self.seats = seats
        self.deadline = deadline
    }
}

/// Nothing is held, and why.
package struct SeatsRefused: Message {
    package static let kind = MessageKind.reservationRefused

    package enum Command: String, Codable, Sendable { case reserve, confirm }

    package enum Reason: String, Codable, Sendable, CaseIterable {
        case soldOut = "sold-out"
        case seatsTaken = "seats-taken"
        case unknownTier = "unknown-tier"
        case unknownSeat = "unknown-seat"
        /// The release came before the reserve.
        case released
        /// A confirm found no hold of the saga.
        case noHold = "no-hold"
    }

    package let command: Command
    package let reason: Reason
    /// How many places the tier had left, where fewer were left than wanted.
    package let available: Int?

    package init(command: Command, reason: Reason, available: Int? = nil) {
        self.command = command
        self.reason = reason
        self.available = available
    }
}

/// One ticket as its buyer knows it.
package struct IssuedTicket: Codable, Sendable, Hashable {
    package let id: TicketID
    package let tier: String
    package let seat: String?

    package init(id: TicketID, tier: String, seat: String?) {
        self.id = id
        self.tier = tier
        self.seat = seat
    }
}

/// The hold became tickets.
package struct SeatsConfirmed: Message {
    package static let kind = MessageKind.confirmed
    package let tickets: [IssuedTicket]

    package init(tickets: [IssuedTicket]) { self.tickets = tickets }
}

/// The saga holds nothing any more and its tickets, if any, are void.
package struct SeatsReleased: Message {
    package static let kind = MessageKind.released

    package init() {}
}
