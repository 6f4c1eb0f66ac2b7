import Contracts
import FoundationEssentials

/// What the buyer asked for, checked and priced; never changes.
///
/// A class, because it goes with its saga through every copy, and copying a reference is cheaper than ten fields.
package final class PurchaseRequest: Codable, Sendable {
    package let userId: String
    package let eventId: EventID
    package let tier: String
    package let quantity: Int
    package let seats: [String]?
    package let amount: Money
    package let paymentMethod: String
    package let email: String?
    package let holdSeconds: Int
    /// The queue an upstream system wants its answers in, and the correlation it gave.
    package let replyTo: String?
    package let correlationID: String?

    package init(
        userId: String, eventId: EventID, tier: String, quantity: Int, seats: [String]?, amount: Money,
        paymentMethod: String, email: String?, holdSeconds: Int, replyTo: String?, correlationID: String?
    ) {
        self.userId = userId
        self.eventId = eventId
        self.tier = tier
        self.quantity = quantity
        self.seats = seats
        self.amount = amount
        self.paymentMethod = paymentMethod
        self.email = email
        self.holdSeconds = holdSeconds
        self.replyTo = replyTo
        self.correlationID = correlationID
    }
}

extension PurchaseRequest {
    /// The same wish of somebody who reads another queue.
    package func answered(in queue: String?, as correlation: String?) -> PurchaseRequest {
        PurchaseRequest(
            userId: userId, eventId: eventId, tier: tier, quantity: quantity, seats: seats, amount: amount,
            paymentMethod: paymentMethod, email: email, holdSeconds: holdSeconds, replyTo: queue,
            correlationID: correlation)
    }
}

extension PurchaseRequest: Equatable {
    package static func == (one: PurchaseRequest, other: PurchaseRequest) -> Bool {
        one === other
            || (one.userId, one.eventId, one.tier, one.quantity, one.amount)
                == (other.userId, other.eventId, other.tier, other.quantity, other.amount)
                && (one.seats, one.paymentMethod, one.email, one.holdSeconds, one.replyTo, one.correlationID)
                    == (
                        other.seats, other.paymentMethod, other.email, other.holdSeconds, other.replyTo,
                        other.correlationID
                    )
    }
}

/// What a purchase learnt on its way.
package struct PurchaseFacts: Codable, Sendable, Equatable {
    package var seats: [String] = []
    /// When the hold runs out, by the database's clock.
    package var deadline: Date?
    package var chargeID: String?
    package var tickets: [IssuedTicket] = []

    package init() {}
}

extension PurchaseSaga {
    /// How long after the hold's deadline the watchdog says itself that it has passed, in case the timer was lost.
    static let expiryGrace = 5.0

    package static let lessons = ["reserved", "captured", "confirmed"]

    package static func learn(_ input: PurchaseInput, into facts: inout PurchaseFacts) {
        switch input {
        case .reserved(let seats, let deadline):
            facts.seats = seats
            facts.deadline = deadline
        case .captured(let chargeID): facts.chargeID = chargeID
        case .confirmed(let tickets): facts.tickets = tickets
        case .start, .reservationRefused, .confirmRefused, .released, .declined, .closed, .refunded, .holdExpired,
            .cancelRequested, .refundRequested, .notified, .stepTimedOut, .attemptsUsedUp:
            break
        }
    }

    package static func patience(in state: PurchaseState, knowing facts: PurchaseFacts) -> TimeoutPolicy<PurchaseInput>
    {
        switch state {
        case .reserving, .closing: .attempts(then: .attemptsUsedUp)
        case .charging:
            if let deadline = facts.deadline {
                .until(deadline.addingTimeInterval(expiryGrace), then: .holdExpired)
            } else {
                .endless
            }
        case .confirming, .unwinding, .completed, .refused, .refunded: .endless
        }
    }
}
