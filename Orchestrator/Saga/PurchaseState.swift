/// Where a purchase stands.
package enum PurchaseState: Sendable, Equatable, Hashable {
    case reserving
    case charging
    case confirming
    case closing(ClosingReason)
    case unwinding(EndReason, outstanding: Set<Compensation>)
    case completed
    case refused(EndReason)
    case refunded
}

/// Why a payment is being closed.
package enum ClosingReason: String, Codable, Sendable, CaseIterable { case expired, cancelled }

/// What still has to be undone; a payment that could not be closed in time goes on being closed.
package enum Compensation: String, Codable, Sendable, CaseIterable { case release, refund, close }

/// Why a purchase ends, or ended, without tickets.
package enum EndReason: Codable, Sendable, Hashable {
    /// The reservation worker's reason, such as `sold-out`, and how many places were left where they were too few.
    case notReserved(String, available: Int?)
    case declined(String)
    case cancelled
    case expired
    case timedOut
    case seatsLost
    case refundRequested

    package init(_ reason: ClosingReason) {
        switch reason {
        case .expired: self = .expired
        case .cancelled: self = .cancelled
        }
    }

    /// A stable word for people and programs.
    package var word: String {
        switch self {
        case .notReserved(let reason, _): reason
        case .declined: "declined"
        case .cancelled: "cancelled"
        case .expired: "expired"
        case .timedOut: "timed-out"
        case .seatsLost: "seats-lost"
        case .refundRequested: "refund-requested"
        }
    }
}

extension PurchaseState: SagaState {
    package static let openTags = ["reserving", "charging", "confirming", "closing", "unwinding"]
    package static let endTags = ["completed", "refused", "refunded"]

    package var tag: String {
        switch self {
        case .reserving: "reserving"
        case .charging: "charging"
        case .confirming: "confirming"
        case .closing: "closing"
        case .unwinding: "unwinding"
        case .completed: "completed"
        case .refused: "refused"
        case .refunded: "refunded"
        }
    }

    package var outcome: String? {
        switch self {
        case .reserving, .charging, .confirming, .closing, .unwinding: nil
        case .completed, .refused, .refunded: tag
        }
    }

    /// How many places were left, of a purchase that was refused because they were too few.
    package var available: Int? {
        if case .refused(.notReserved(_, let available)) = self { available } else { nil }
    }

    package var reason: String? {
        switch self {
        case .reserving, .charging, .confirming, .completed: nil
        case .closing(let reason): EndReason(reason).word
        case .unwinding(let reason, _), .refused(let reason): reason.word
        case .refunded: EndReason.refundRequested.word
        }
    }
}
