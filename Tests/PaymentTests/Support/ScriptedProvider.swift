import Synchronization

@testable import Payment

/// A provider that answers what the test says, and counts what it was asked.
final class ScriptedProvider: PaymentProvider {
    typealias ChargeScript = @Sendable (ProviderPayment, Int) async -> Result<ChargeAnswer, ProviderError>
    typealias CloseScript = @Sendable (ProviderPayment, Int) async -> Result<CloseAnswer, ProviderError>
    typealias RefundScript = @Sendable (ProviderPayment, Int) async -> Result<RefundAnswer, ProviderError>

    private let onCharge: ChargeScript
    private let onClose: CloseScript
    private let onRefund: RefundScript
    private let asked = Mutex<[Charge.Operation: Int]>([:])

    /// Each script gets the payment and how often that operation was asked for before.
    init(
        charge: @escaping ChargeScript = { _, _ in .success(.captured(id: "p1")) },
        close: @escaping CloseScript = { _, _ in .success(.closed) },
        refund: @escaping RefundScript = { _, _ in .success(.refunded) }
    ) {
        onCharge = charge
        onClose = close
        onRefund = refund
    }

    func count(of operation: Charge.Operation) -> Int { asked.withLock { $0[operation, default: 0] } }

    private func next(_ operation: Charge.Operation) -> Int {
        asked.withLock { asked in
            defer { asked[operation, default: 0] += 1 }
            return asked[operation, default: 0]
        }
    }

    func charge(_ payment: ProviderPayment) async throws(ProviderError) -> ChargeAnswer {
        try await onCharge(payment, next(.charge)).get()
    }

    func close(_ payment: ProviderPayment) async throws(ProviderError) -> CloseAnswer {
        try await onClose(payment, next(.close)).get()
    }

    func refund(_ payment: ProviderPayment, of id: String) async throws(ProviderError) -> RefundAnswer {
        try await onRefund(payment, next(.refund)).get()
    }
}
