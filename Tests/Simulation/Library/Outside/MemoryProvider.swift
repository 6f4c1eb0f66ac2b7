import Contracts
import Payment

/// The way of one process to the simulated provider, on which questions and answers may be lost.
package struct MemoryProvider: PaymentProvider {
    let book: ProviderBook
    let process: Incarnation

    package init(_ book: ProviderBook, _ process: Incarnation) {
        self.book = book
        self.process = process
    }

    package func charge(_ payment: ProviderPayment) async throws(ProviderError) -> ChargeAnswer {
        let entry = try await ask { book.charge(payment, at: $0) }
        let method = SimulatedMethod(token: payment.method)
        switch entry.status {
        case .captured where method == .timeoutAfterCharge && entry.calls == 1: throw .timedOut
        case .captured, .refunded: return .captured(id: entry.id)
        case .declined: return .declined(reason: method == .declined ? "card-declined" : "unknown-method")
        case .closed: return .declined(reason: "closed")
        case .pending where method == .flaky: throw .failed("flaky")
        case .pending: return .pending
        }
    }

    package func close(_ payment: ProviderPayment) async throws(ProviderError) -> CloseAnswer {
        let entry = try await ask { book.close(payment, at: $0) }
        switch entry.status {
        case .closed: return .closed
        case .captured, .refunded: return .captured(id: entry.id)
        case .declined: return .declined(reason: "card-declined")
        case .pending: throw .failed("still pending")
        }
    }

    package func refund(_ payment: ProviderPayment, of id: String) async throws(ProviderError) -> RefundAnswer {
        guard try await ask({ _ in book.refund(payment) }) != nil else { throw .failed("nothing was captured") }
        return .refunded
    }

    /// The question may be lost on its way, the answer on its way back, or be so slow that nobody waits for it.
    private func ask<R: Sendable>(_ question: (Duration) -> R) async throws(ProviderError) -> R {
        try await step()
        guard book.isReachable else { throw .unavailable("simulated") }
        let isSilent = process.universe.happens(\.silentProvider)
        if isSilent && process.universe.number(in: 0...2) == 0 { throw .unavailable("simulated") }
        let answer = question(process.universe.timeline.now)
        do {
            try process.survive()
        } catch {
            throw .unavailable("\(error)")
        }
        guard isSilent else { return answer }
        if process.universe.number(in: 0...1) == 0 {
            await process.universe.timeline.wait(for: .seconds(process.universe.number(in: 1...4)))
        }
        throw .timedOut
    }

    private func step() async throws(ProviderError) {
        do {
            try await process.step()
        } catch {
            throw .unavailable("\(error)")
        }
    }
}
