import Contracts
import FoundationEssentials

/// An event as buyers see it: its tiers, prices and seats.
package struct CatalogueEvent: Sendable {
    package let id: EventID
    package let event: PublishEvent
    /// The places of seats by name, which finds every form of a name: `É` in one code point and in two is one seat.
    private let places: [String: Place]

    private struct Place {
        let tier: Int
        let seat: Int
    }

    package init(id: EventID, event: PublishEvent) {
        self.id = id
        self.event = event
        var places: [String: Place] = [:]
        for (index, tier) in event.tiers.enumerated() {
            for (position, seat) in (tier.seats ?? []).enumerated() {
                places[seat] = Place(tier: index, seat: position)
            }
        }
        self.places = places
    }

    /// When the last purchase may begin: the event's end, or its beginning where no end is known.
    ///
    /// What was begun before may be paid until its hold ends.
    package var salesEnd: Date { event.endsAt ?? event.startsAt }

    package func tier(named name: String) -> PublishEvent.Tier? {
        event.tiers.first { $0.name == name }
    }

    package func tier(ofSeat seat: String) -> PublishEvent.Tier? {
        places[seat].map { event.tiers[$0.tier] }
    }

    /// A seat's name as it was published, which is how the stock knows it; as it stands for what is no seat.
    package func published(_ seat: String) -> String {
        places[seat].flatMap { event.tiers[$0.tier].seats?[$0.seat] } ?? seat
    }
}
