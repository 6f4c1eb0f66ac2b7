import Chance
import Connections
import Contracts
import FoundationEssentials

/// One person with a wish, and what they do about it.
package struct Buyer: Sendable {
    package let number: Int
    /// Whether they come through an upstream system's messages instead of HTTP.
    package let isUpstream: Bool
    package let wish: StartPurchase
    package let arrival: Duration
    /// Asks to cancel so long after the purchase was accepted.
    package let cancelAfter: Duration?
    /// Asks for the money back so long after the purchase was accepted, if it is completed by then.
    package let refundAfter: Duration?

    package var key: String { "buyer-\(number)" }

    static let methods = [
        "sim_ok", "sim_ok", "sim_ok", "sim_declined", "sim_timeout_after_charge", "sim_flaky", "sim_slow:2500",
        "sim_slow:15000", "sim_never", "sim_late",
    ]

    static func random(_ number: Int, for event: EventID, using chance: inout SeededChance) -> Buyer {
        let isSeated = Bool.random(using: &chance)
        let isPicky = isSeated && Bool.random(using: &chance)
        let quantity = Int.random(in: 1...3, using: &chance)
        let first = Int.random(in: 1...Stage.seats - quantity + 1, using: &chance)
        let holdSeconds = Int.random(in: 3...25, using: &chance)
        let wish = StartPurchase(
            // Some buyers come twice, so that one purchase per user and event is put to the test.
            userId: "user-\(Int.random(in: 0...number, using: &chance))", eventId: event,
            tier: isSeated ? Stage.stalls : Stage.floor, quantity: isPicky ? nil : quantity,
            seats: isPicky ? (first..<first + quantity).map { "A-\($0)" } : nil,
            paymentMethod: methods.randomElement(using: &chance), email: nil,
            holdSeconds: holdSeconds)
        func sometimes(_ likelihood: Double, upTo limit: Int) -> Duration? {
            guard Double.random(in: 0..<1, using: &chance) < likelihood else { return nil }
            return .milliseconds(Int.random(in: 0...limit, using: &chance))
        }
        // Some change their minds at the very end of the hold, when the payment is being closed anyway.
        let lastMoment = sometimes(0.2, upTo: 1_500).map { $0 + .seconds(holdSeconds) }
        return Buyer(
            number: number, isUpstream: Bool.random(using: &chance), wish: wish,
            arrival: .milliseconds(Int.random(in: 0...5_000, using: &chance)),
            cancelAfter: sometimes(0.35, upTo: [0, 20, 500, 8_000].randomElement(using: &chance) ?? 0) ?? lastMoment,
            refundAfter: sometimes(0.25, upTo: 25_000))
    }
}

/// What is sold in a simulation: a tier by count and a tier of named seats.
package enum Stage {
    package static let floor = "floor"
    /// A queue for answers that holds one and is never read.
    package static let fullQueue = "upstream.full"
    package static let stalls = "stalls"
    package static let places = 8
    package static let seats = 8

    package static func event(at date: Date) -> PublishEvent {
        PublishEvent(
            name: "a simulated evening", startsAt: date.addingTimeInterval(30 * 86_400),
            venue: Venue(name: "hall", city: "Basel", latitude: 47.5, longitude: 7.6),
            tiers: [
                .init(name: floor, price: Money(currency: "CHF", minor: 2_500), capacity: places, seats: nil),
                .init(
                    name: stalls, price: Money(currency: "CHF", minor: 7_000), capacity: seats,
                    seats: (1...seats).map { "A-\($0)" }),
            ])
    }
}
