import Contracts
import FoundationEssentials
import Payment

/// The schema `payment` in memory, without the provider's own book.
package struct PaymentTables: HasInbox {
    package struct Row: Sendable {
        package var charge: Charge
        package var dueAt: Date?
    }

    package var charges: [SagaID: Row] = [:]
    package var attempts: [AttemptNote] = []
    package var inbox: [MessageID: [OutgoingMessage]] = [:]

    package init() {}
}

extension Charge {
    /// Whether a change that was decided about `other` may still be made to this charge.
    func standsLike(_ other: Charge) -> Bool {
        state.tag == other.state.tag && owed.id == other.owed.id
    }
}

extension Charge.State {
    /// The column `status`.
    package var tag: String {
        switch self {
        case .open: "open"
        case .captured: "captured"
        case .declined: "declined"
        case .closing: "closing"
        case .closed: "closed"
        case .refunding: "refunding"
        case .refunded: "refunded"
        }
    }
}
