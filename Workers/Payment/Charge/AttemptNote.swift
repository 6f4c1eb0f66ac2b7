import Contracts
import FleetRuntime

/// One question to the provider and what came of it, for the books.
package struct AttemptNote: Sendable, Equatable {
    package enum Outcome: String, Sendable, CaseIterable {
        case captured, declined, pending, closed, refunded
        case timedOut = "timed-out"
        case unavailable, failed
        case notAsked = "not-asked"
    }

    package let sagaID: SagaID
    package let operation: Charge.Operation
    package let outcome: Outcome
    package let detail: String?

    /// Nil where nobody was asked.
    package init?(_ finding: Finding) {
        guard finding.answer.outcome != .notAsked else { return nil }
        sagaID = finding.charge.sagaID
        operation = finding.answer.operation
        outcome = finding.answer.outcome
        detail = finding.answer.detail
    }
}

extension ProviderAnswer {
    package var operation: Charge.Operation {
        switch self {
        case .charge: .charge
        case .close: .close
        case .refund: .refund
        case .unknown(let operation, _): operation
        }
    }

    package var outcome: AttemptNote.Outcome {
        switch self {
        case .charge(.captured), .close(.captured): .captured
        case .charge(.declined), .close(.declined): .declined
        case .charge(.pending), .refund(.pending): .pending
        case .close(.closed): .closed
        case .refund(.refunded): .refunded
        case .unknown(_, .timedOut): .timedOut
        case .unknown(_, .unavailable): .unavailable
        case .unknown(_, .failed): .failed
        case .unknown(_, .notAsked): .notAsked
        }
    }

    /// The provider's id or reason, where there is one.
    package var detail: String? {
        switch self {
        case .charge(.captured(let id)), .close(.captured(let id)): id
        case .charge(.declined(let reason)), .close(.declined(let reason)): reason
        case .unknown(_, .unavailable(let reason)), .unknown(_, .failed(let reason)): String(reason.prefix(500))
        case .charge(.pending), .refund(.pending), .close(.closed), .refund(.refunded), .unknown(_, .timedOut),
            .unknown(_, .notAsked):
            nil
        }
    }
}
