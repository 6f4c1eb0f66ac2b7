import Contracts
import FoundationEssentials

/// The purchase of tickets for one event: hold, charge, confirm, and the way back from each.
///
/// The capture is the pivot. Before it the saga compensates; after it, it retries forward or refunds. A payment is
/// closed before seats are released, so nobody can pay for seats that went back on sale.
package enum PurchaseSaga: PurchaseDefinition {
    package typealias State = PurchaseState
    package typealias Input = PurchaseInput
    package typealias Effect = PurchaseEffect
    package typealias Request = PurchaseRequest
    package typealias Facts = PurchaseFacts
    typealias Decision = Step<PurchaseState, PurchaseEffect>

    package static let kind = "purchase"
    package static let noFacts = PurchaseFacts()

    /// Decides where the purchase goes next and what must be done about it; touches nothing.
    package static func step(_ state: PurchaseState?, on input: PurchaseInput) -> Step<PurchaseState, PurchaseEffect> {
        switch state {
        case nil: beforeStarting(input)
        case .reserving: whileReserving(input)
        case .charging: whileCharging(input)
        case .confirming: whileConfirming(input)
        case .closing(let reason): whileClosing(input, because: reason)
        case .unwinding(let reason, let outstanding): whileUnwinding(input, because: reason, outstanding)
        case .completed: afterCompleting(input)
        case .refused(let reason): afterRefusing(input, because: reason)
        case .refunded: afterRefunding(input)
        }
    }

    private static func beforeStarting(_ input: PurchaseInput) -> Decision {
        switch input {
        case .start: .move(to: .reserving, then: [.reserve, .announceStarted])
        case .reserved, .reservationRefused, .confirmed, .confirmRefused, .released, .captured, .declined, .closed,
            .refunded, .holdExpired, .cancelRequested, .refundRequested, .notified, .stepTimedOut, .attemptsUsedUp:
            .ignore(.impossible)
        }
    }

    private static func whileReserving(_ input: PurchaseInput) -> Decision {
        switch input {
        case .reserved: .move(to: .charging, then: [.charge, .scheduleExpiry])
        case .reservationRefused(let reason, let available):
            .move(to: .refused(.notReserved(reason, available: available)), then: [.announceRefused, .notify])
        case .cancelRequested: .move(to: .unwinding(.cancelled, outstanding: [.release]), then: [.release])
        case .attemptsUsedUp: .move(to: .unwinding(.timedOut, outstanding: [.release]), then: [.release])
        case .stepTimedOut: .stay(then: [.reserve, .announceStarted])
        case .start: .ignore(.duplicate)
        case .refundRequested: .ignore(.late)
        case .confirmed, .confirmRefused, .released, .captured, .declined, .closed, .refunded, .holdExpired,
            .notified:
            .ignore(.impossible)
        }
    }

    private static func whileCharging(_ input: PurchaseInput) -> Decision {
        switch input {
        case .captured: .move(to: .confirming, then: [.confirm, .cancelExpiry])
        case .declined(let reason):
            .move(to: .unwinding(.declined(reason), outstanding: [.release]), then: [.release, .cancelExpiry])
        case .holdExpired: .move(to: .closing(.expired), then: [.closePayment])
        case .cancelRequested: .move(to: .closing(.cancelled), then: [.closePayment])
        case .stepTimedOut: .stay(then: [.charge, .scheduleExpiry])
        case .start, .reserved: .ignore(.duplicate)
        case .refundRequested, .attemptsUsedUp: .ignore(.late)
        case .reservationRefused, .confirmed, .confirmRefused, .released, .closed, .refunded, .notified:
            .ignore(.impossible)
        }
    }

    private static func whileConfirming(_ input: PurchaseInput) -> Decision {
        switch input {
        case .confirmed: .move(to: .completed, then: [.announceCompleted, .notify])
        case .confirmRefused: .move(to: .unwinding(.seatsLost, outstanding: [.refund]), then: [.refund])
        case .stepTimedOut: .stay(then: [.confirm])
        case .start, .reserved, .captured: .ignore(.duplicate)
        case .holdExpired, .cancelRequested, .refundRequested, .attemptsUsedUp: .ignore(.late)
        case .reservationRefused, .released, .declined, .closed, .refunded, .notified: .ignore(.impossible)
        }
    }

    private static func whileClosing(_ input: PurchaseInput, because reason: ClosingReason) -> Decision {
        switch (input, reason) {
        case (.closed, _), (.declined, _):
            .move(to: .unwinding(EndReason(reason), outstanding: [.release]), then: [.release])
        case (.attemptsUsedUp, _):
            .move(to: .unwinding(EndReason(reason), outstanding: [.release, .close]), then: [.release, .closePayment])
        case (.captured, .expired): .move(to: .confirming, then: [.confirm])
        case (.captured, .cancelled):
            .move(to: .unwinding(.cancelled, outstanding: [.release, .refund]), then: [.release, .refund])
        // The buyer's wish is kept: money that still comes is given back instead of buying tickets.
        case (.cancelRequested, .expired): .move(to: .closing(.cancelled), then: [])
        case (.stepTimedOut, _): .stay(then: [.closePayment])
        case (.start, _), (.reserved, _): .ignore(.duplicate)
        case (.holdExpired, .expired), (.cancelRequested, .cancelled): .ignore(.duplicate)
        case (.holdExpired, .cancelled), (.refundRequested, _): .ignore(.late)
        case (.reservationRefused, _), (.confirmed, _), (.confirmRefused, _), (.released, _), (.refunded, _),
            (.notified, _):
            .ignore(.impossible)
        }
    }

    private static func whileUnwinding(
        _ input: PurchaseInput, because reason: EndReason, _ outstanding: Set<Compensation>
    ) -> Decision {
        switch input {
        case .released: settle(.release, of: outstanding, because: reason)
        case .refunded: settle(.refund, of: outstanding, because: reason)
        case .closed, .declined: settle(.close, of: outstanding, because: reason)
        case .captured:
            reason.followsCapture || outstanding.contains(.refund)
                ? .ignore(.duplicate)
                : .move(
                    to: .unwinding(reason, outstanding: outstanding.subtracting([.close]).union([.refund])),
                    then: [.refund])
        case .stepTimedOut: .stay(then: Compensation.allCases.filter(outstanding.contains).map(\.effect))
        case .start, .reserved, .confirmed, .confirmRefused: .ignore(.duplicate)
        case .reservationRefused, .holdExpired, .cancelRequested, .refundRequested, .notified, .attemptsUsedUp:
            .ignore(.late)
        }
    }

    private static func settle(
        _ compensation: Compensation, of outstanding: Set<Compensation>, because reason: EndReason
    ) -> Decision {
        guard outstanding.contains(compensation) else { return .ignore(.duplicate) }
        let left = outstanding.subtracting([compensation])
        guard left.isEmpty else { return .move(to: .unwinding(reason, outstanding: left), then: []) }
        return reason == .refundRequested
            ? .move(to: .refunded, then: [.announceRefunded, .notify])
            : .move(to: .refused(reason), then: [.announceRefused, .notify])
    }

    private static func afterCompleting(_ input: PurchaseInput) -> Decision {
        switch input {
        case .refundRequested:
            .move(to: .unwinding(.refundRequested, outstanding: [.release, .refund]), then: [.release, .refund])
        case .notified: .stay(then: [])
        case .stepTimedOut: .stay(then: [.announceCompleted, .notify])
        case .start, .reserved, .captured, .confirmed: .ignore(.duplicate)
        case .holdExpired, .cancelRequested, .attemptsUsedUp: .ignore(.late)
        case .reservationRefused, .confirmRefused, .released, .declined, .closed, .refunded: .ignore(.impossible)
        }
    }

    private static func afterRefusing(_ input: PurchaseInput, because reason: EndReason) -> Decision {
        switch input {
        case .captured: .move(to: .unwinding(reason, outstanding: [.refund]), then: [.refund])
        case .notified: .stay(then: [])
        case .stepTimedOut: .stay(then: [.announceRefused, .notify])
        case .start, .reservationRefused, .released, .declined, .closed, .refunded: .ignore(.duplicate)
        case .reserved, .confirmed, .confirmRefused, .holdExpired, .cancelRequested, .refundRequested,
            .attemptsUsedUp:
            .ignore(.late)
        }
    }

    private static func afterRefunding(_ input: PurchaseInput) -> Decision {
        switch input {
        case .notified: .stay(then: [])
        case .stepTimedOut: .stay(then: [.announceRefunded, .notify])
        case .start, .reserved, .captured, .confirmed, .released, .refunded, .refundRequested: .ignore(.duplicate)
        case .holdExpired, .cancelRequested, .attemptsUsedUp: .ignore(.late)
        case .reservationRefused, .confirmRefused, .declined, .closed: .ignore(.impossible)
        }
    }
}

extension EndReason {
    /// Whether the money had arrived before the unwinding began, so that hearing of it again changes nothing.
    fileprivate var followsCapture: Bool {
        switch self {
        case .seatsLost, .refundRequested: true
        case .notReserved, .declined, .cancelled, .expired, .timedOut: false
        }
    }
}

extension Compensation {
    fileprivate var effect: PurchaseEffect {
        switch self {
        case .release: .release
        case .refund: .refund
        case .close: .closePayment
        }
    }
}
