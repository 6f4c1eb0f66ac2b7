import Contracts
import FoundationEssentials

/// What can happen to a purchase.
package enum PurchaseInput: Codable, Sendable, Equatable {
    case start
    case reserved(seats: [String], deadline: Date)
    case reservationRefused(reason: String, available: Int?)
    case confirmed(tickets: [IssuedTicket])
    case confirmRefused(reason: String)
    case released
    case captured(chargeID: String)
    case declined(reason: String)
    case closed
    case refunded
    case holdExpired
    case cancelRequested
    case refundRequested
    case notified
    /// The answer is overdue; the effects go out again.
    case stepTimedOut
    /// The last attempt of the step is used up.
    case attemptsUsedUp
}

extension PurchaseInput: SagaInput {
    package var name: String {
        switch self {
        case .start: "start"
        case .reserved: "reserved"
        case .reservationRefused: "reservation-refused"
        case .confirmed: "confirmed"
        case .confirmRefused: "confirm-refused"
        case .released: "released"
        case .captured: "captured"
        case .declined: "declined"
        case .closed: "closed"
        case .refunded: "refunded"
        case .holdExpired: "hold-expired"
        case .cancelRequested: "cancel-requested"
        case .refundRequested: "refund-requested"
        case .notified: "notified"
        case .stepTimedOut: "step-timed-out"
        case .attemptsUsedUp: "attempts-used-up"
        }
    }

    package var isSettling: Bool {
        switch self {
        case .notified: true
        case .start, .reserved, .reservationRefused, .confirmed, .confirmRefused, .released, .captured, .declined,
            .closed, .refunded, .holdExpired, .cancelRequested, .refundRequested, .stepTimedOut, .attemptsUsedUp:
            false
        }
    }
}
