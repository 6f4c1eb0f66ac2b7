import Contracts

/// Takes money from buyers and gives it back, somewhere outside our database.
///
/// The key makes each operation happen once: asked again, whoever asks, the provider says what became of the first.
/// - Important: after `closed` a provider never captures under that key; what it captured before, it says.
package protocol PaymentProvider: Sendable {
    func charge(_ payment: ProviderPayment) async throws(ProviderError) -> ChargeAnswer
    /// Ends a charge that may be unknown, pending or decided.
    func close(_ payment: ProviderPayment) async throws(ProviderError) -> CloseAnswer
    /// Pays back in full what was captured under `id`.
    func refund(_ payment: ProviderPayment, of id: String) async throws(ProviderError) -> RefundAnswer
}

/// One payment as a provider is told of it.
package struct ProviderPayment: Sendable, Equatable {
    package let key: String
    package let amount: Money
    package let method: String

    package init(key: String, amount: Money, method: String) {
        self.key = key
        self.amount = amount
        self.method = method
    }

    package init(_ charge: Charge) {
        self.init(key: charge.idempotencyKey, amount: charge.terms.amount, method: charge.terms.method)
    }
}

package enum ChargeAnswer: Sendable, Hashable {
    case captured(id: String)
    case declined(reason: String)
    /// Neither yet.
    case pending
}

package enum CloseAnswer: Sendable, Hashable {
    case closed
    case captured(id: String)
    case declined(reason: String)
}

package enum RefundAnswer: Sendable, Hashable {
    case refunded
    /// Accepted, and not done yet.
    case pending
}

/// Why a question has no answer; what it asked for may have happened all the same.
package enum ProviderError: Error, Sendable, Hashable {
    /// No answer within the time allowed.
    case timedOut
    /// The provider cannot be reached.
    case unavailable(String)
    /// The provider is there and failed at this one call.
    case failed(String)
    /// Nobody asked, because the provider has failed too often just now.
    case notAsked
}

/// What came of one question.
package enum ProviderAnswer: Sendable, Hashable {
    case charge(ChargeAnswer)
    case close(CloseAnswer)
    case refund(RefundAnswer)
    case unknown(Charge.Operation, ProviderError)
}
