import FoundationEssentials

/// Asks to put an event on sale, over AMQP or as the body of `POST /events`; checked by the orchestrator.
package struct PublishEvent: Message {
    package static let kind = MessageKind.eventPublish

    package struct Tier: Codable, Sendable, Equatable {
        package var name: String
        package var price: Money
        package var capacity: Int
        /// Seat names, best first, as many as the capacity; nil for a tier that is sold by count.
        package var seats: [String]?

        package init(name: String, price: Money, capacity: Int, seats: [String]? = nil) {
            self.name = name
            self.price = price
            self.capacity = capacity
            self.seats = seats
        }
    }

    package var name: String
    package var startsAt: Date
    /// When sales end; nil for an event that is sold until it starts.
    package var endsAt: Date?
    package var venue: Venue
    package var tiers: [Tier]

    package init(name: String, startsAt: Date, endsAt: Date? = nil, venue: Venue, tiers: [Tier]) {
        self.name = name
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.venue = venue
        self.tiers = tiers
    }
}
