import Contracts
import FoundationEssentials

/// An event as purchases see it: its tiers and prices, and in which tier each seat lies.
package struct CatalogueEvent: Sendable {
    package let id: EventID
    /// Without the names of its seats.
    package let event: PublishEvent
    private let seats: SeatIndex

    package init(id: EventID, event: PublishEvent) {
        self.id = id
        self.event = event.withoutSeats
        seats = SeatIndex(event.tiers)
    }

    /// About how much memory it takes, in bytes.
    var bytes: Int {
        seats.bytes + 512 + event.name.utf8.count + event.tiers.reduce(0) { $0 + 128 + $1.name.utf8.count }
    }

    /// When the last purchase may begin: the event's end, or its beginning where no end is known.
    ///
    /// What was begun before may be paid until its hold ends.
    package var salesEnd: Date { event.endsAt ?? event.startsAt }

    package func tier(named name: String) -> PublishEvent.Tier? {
        event.tiers.first { $0.name == name }
    }

    package func tier(ofSeat seat: String) -> PublishEvent.Tier? {
        seats.find(seat).map { event.tiers[$0.tier] }
    }

    /// A seat's name as it was published, which is how the stock knows it; as it stands for what is no seat.
    package func published(_ seat: String) -> String {
        seats.find(seat)?.name ?? seat
    }
}

/// An event in a list: enough to choose one, and small however large its hall is.
package struct EventSummary: Codable, Sendable {
    package struct Tier: Codable, Sendable, Equatable {
        package let name: String
        package let price: Money
        package let capacity: Int
        /// Whether its places have names, which the event itself shows.
        package let isSeated: Bool
    }

    /// What the record keeps of an event for lists.
    package struct Card: Codable, Sendable {
        package let name: String
        package let startsAt: Date
        package let endsAt: Date?
        package let venue: Venue
        package let tiers: [Tier]

        package init(_ event: PublishEvent) {
            name = event.name
            startsAt = event.startsAt
            endsAt = event.endsAt
            venue = event.venue
            tiers = event.tiers.map {
                Tier(name: $0.name, price: $0.price, capacity: $0.capacity, isSeated: $0.seats != nil)
            }
        }
    }

    package let eventId: EventID
    package let name: String
    package let startsAt: Date
    package let endsAt: Date?
    package let venue: Venue
    package let tiers: [Tier]

    package init(_ id: EventID, _ card: Card) {
        eventId = id
        name = card.name
        startsAt = card.startsAt
        endsAt = card.endsAt
        venue = card.venue
        tiers = card.tiers
    }
}

extension PublishEvent {
    var withoutSeats: PublishEvent {
        var event = self
        for index in event.tiers.indices { event.tiers[index].seats = nil }
        return event
    }
}
