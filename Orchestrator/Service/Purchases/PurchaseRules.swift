import Contracts
import FoundationEssentials
import SagaCore

/// Checks a wish to buy against the rules and the event, and prices it.
enum PurchaseRules {
    static let defaultPaymentMethod = "sim_ok"

    /// - Throws: `Problem` with every mistake and its place.
    static func check(
        _ wish: StartPurchase, for event: CatalogueEvent?, holdSeconds: Int, replyTo: String?, correlationID: String?
    ) throws(Problem) -> PurchaseRequest {
        var inspection = Inspection()
        checkFields(wish, &inspection)
        guard let event else {
            inspection.require(false, "/eventId", "names no event that is on sale")
            throw .invalid(inspection.mistakes)
        }
        let tier = chooseTier(wish, of: event, &inspection)
        try inspection.finish()
        guard let tier else { throw .invalid([]) }
        let seats = wish.seats?.map(event.published)
        let quantity = seats?.count ?? wish.quantity ?? 1
        return PurchaseRequest(
            userId: wish.userId, eventId: event.id, tier: tier.name, quantity: quantity, seats: seats,
            amount: tier.price * quantity, paymentMethod: wish.paymentMethod ?? defaultPaymentMethod,
            email: wish.email, holdSeconds: wish.holdSeconds ?? holdSeconds, replyTo: replyTo,
            correlationID: correlationID)
    }

    private static func checkFields(_ wish: StartPurchase, _ inspection: inout Inspection) {
        inspection.requireText(wish.userId, "/userId", upTo: Limits.identifierLength)
        switch (wish.quantity, wish.seats) {
        case (nil, nil):
            inspection.require(false, "/quantity", "is required unless seats are named")
        case (_?, _?):
            inspection.require(false, "/seats", "must not stand beside quantity; give one of the two")
        case (let quantity?, nil):
            inspection.require(Limits.quantity.contains(quantity), "/quantity", "must be from 1 to 10")
        case (nil, let seats?):
            inspection.require(Limits.quantity.contains(seats.count), "/seats", "must name 1 to 10 seats")
            inspection.require(Set(seats).count == seats.count, "/seats", "must not name a seat twice")
        }
        if let email = wish.email {
            inspection.requireText(email, "/email", upTo: Limits.emailLength)
            inspection.require(
                email.utf8.count { $0 == UInt8(ascii: "@") } == 1 && email.split(separator: "@").count == 2, "/email",
                "must be an e-mail address")
        }
        if let method = wish.paymentMethod {
            inspection.requireText(method, "/paymentMethod", upTo: Limits.paymentMethodLength)
        }
        if let seconds = wish.holdSeconds {
            inspection.require(Limits.holdSeconds.contains(seconds), "/holdSeconds", "must be from 1 to 3600")
        }
    }

    private static func chooseTier(
        _ wish: StartPurchase, of event: CatalogueEvent, _ inspection: inout Inspection
    ) -> PublishEvent.Tier? {
        let tiersOfSeats = (wish.seats ?? []).enumerated().compactMap { index, seat in
            let tier = event.tier(ofSeat: seat)
            inspection.require(tier != nil, "/seats/\(index)", "names no seat of this event")
            return tier
        }
        if let name = wish.tier {
            let tier = event.tier(named: name)
            inspection.require(tier != nil, "/tier", "names no tier of this event")
            inspection.require(tiersOfSeats.allSatisfy { $0.name == name }, "/seats", "must lie in the tier \(name)")
            return tier
        }
        if let first = tiersOfSeats.first {
            inspection.require(
                tiersOfSeats.allSatisfy { $0.name == first.name }, "/seats", "must lie in one tier")
            return first
        }
        inspection.require(
            event.event.tiers.count == 1 || wish.seats != nil, "/tier", "is required: this event has several tiers")
        return event.event.tiers.first
    }
}

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
