/// Asks to hold seats for a limited time: a count in a tier, or the named seats, all or none.
package struct ReserveSeats: Message {
    package static let kind = MessageKind.reserve
    package let eventId: EventID
    package let tier: String
    package let quantity: Int
    /// The seats wanted by name; nil leaves the choice to the reservation worker.
    package let seats: [String]?
    package let holdSeconds: Int

    package init(eventId: EventID, tier: String, quantity: Int, seats: [String]?, holdSeconds: Int) {
        self.eventId = eventId
        self.tier = tier
        self.quantity = quantity
        self.seats = seats
        self.holdSeconds = holdSeconds
    }
}

/// Asks to turn the saga's hold into tickets.
package struct ConfirmSeats: Message {
    package static let kind = MessageKind.confirm
    package let userId: String

    package init(userId: String) { self.userId = userId }
}

/// Asks to give back what the saga holds, or to void the tickets it was sold.
package struct ReleaseSeats: Message {
    package static let kind = MessageKind.release
    package let reason: String

    package init(reason: String) { self.reason = reason }
}

/// Puts an event's tiers on sale; repeats and further parts only add what is not there yet.
package struct StockEvent: Message {
    package static let kind = MessageKind.stock

    package struct Tier: Codable, Sendable, Equatable {
        package let name: String
        package let capacity: Int
        /// A slice of the tier's named seats, best first; nil for a tier that is sold by count.
        package let seats: [String]?
        /// The rank of the first of `seats` within the tier.
        package let firstRank: Int?

        package init(name: String, capacity: Int, seats: [String]?, firstRank: Int?) {
            self.name = name
            self.capacity = capacity
            self.seats = seats
            self.firstRank = firstRank
        }
    }

    package let eventId: EventID
    package let tiers: [Tier]

    package init(eventId: EventID, tiers: [Tier]) {
        self.eventId = eventId
        self.tiers = tiers
    }
}
