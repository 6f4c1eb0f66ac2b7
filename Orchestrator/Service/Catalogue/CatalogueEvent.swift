import Contracts
import FoundationEssentials

/// An event as buyers see it: its tiers, prices and seats.
package struct CatalogueEvent: Sendable {
    package let id: EventID
    package let event: PublishEvent
    private let tierOfSeat: [String: Int]

    package init(id: EventID, event: PublishEvent) {
        self.id = id
        self.event = event
        var tierOfSeat: [String: Int] = [:]
        for (index, tier) in event.tiers.enumerated() {
            for seat in tier.seats ?? [] { tierOfSeat[seat] = index }
        }
        self.tierOfSeat = tierOfSeat
    }

    package func tier(named name: String) -> PublishEvent.Tier? {
        event.tiers.first { $0.name == name }
    }

    package func tier(ofSeat seat: String) -> PublishEvent.Tier? {
        tierOfSeat[seat].map { event.tiers[$0] }
    }
}
