import Contracts
import FoundationEssentials

/// Checks an event before it goes on sale, by rules that do not change with the time: a repeat must pass them again.
enum EventRules {
    static func check(_ event: PublishEvent) throws(Problem) {
        var inspection = Inspection()
        inspection.requireText(event.name, "/name", upTo: Limits.textLength)
        inspection.require(event.endsAt.map { $0 > event.startsAt } ?? true, "/endsAt", "must lie behind startsAt")
        inspection.requireText(event.venue.name, "/venue/name", upTo: Limits.textLength)
        inspection.requireText(event.venue.city, "/venue/city", upTo: Limits.textLength)
        inspection.require((-90...90).contains(event.venue.latitude), "/venue/latitude", "must be from -90 to 90")
        inspection.require((-180...180).contains(event.venue.longitude), "/venue/longitude", "must be from -180 to 180")
        inspection.require(Limits.tiers.contains(event.tiers.count), "/tiers", "must be 1 to 50")
        for (index, tier) in event.tiers.enumerated() where !inspection.isFull {
            check(tier, at: "/tiers/\(index)", &inspection)
        }
        inspection.require(
            Set(event.tiers.map(\.name)).count == event.tiers.count, "/tiers", "must have different names")
        let seats = event.tiers.flatMap { $0.seats ?? [] }
        inspection.require(Set(seats).count == seats.count, "/tiers", "must not name a seat twice")
        inspection.require(
            Set(event.tiers.map(\.price.currency)).count <= 1, "/tiers", "must be priced in one currency")
        try inspection.finish()
    }

    /// What is wrong with a new event at this moment.
    static func check(_ event: PublishEvent, isStillToComeAt now: Date) throws(Problem) {
        guard event.startsAt > now else {
            throw .invalid([Problem.Mistake(pointer: "/startsAt", detail: "must lie in the future")])
        }
    }

    private static func check(_ tier: PublishEvent.Tier, at pointer: String, _ inspection: inout Inspection) {
        inspection.requireText(tier.name, "\(pointer)/name", upTo: Limits.identifierLength)
        inspection.require(
            tier.price.currency.utf8.count == 3
                && tier.price.currency.utf8.allSatisfy((UInt8(ascii: "A")...UInt8(ascii: "Z")).contains),
            "\(pointer)/price/currency", "must be three capital letters (ISO 4217)")
        inspection.require(
            Limits.priceMinor.contains(tier.price.minor), "\(pointer)/price/minor", "must be from 0 to 100000000")
        inspection.require(
            Limits.tierCapacity.contains(tier.capacity), "\(pointer)/capacity", "must be from 1 to 1000000")
        guard let seats = tier.seats else { return }
        inspection.require(seats.count == tier.capacity, "\(pointer)/seats", "must be as many as the capacity")
        for (index, seat) in seats.enumerated() where !inspection.isFull {
            inspection.requireText(seat, "\(pointer)/seats/\(index)", upTo: Limits.seatNameLength)
        }
    }
}
