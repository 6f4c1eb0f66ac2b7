import Catalogue
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
