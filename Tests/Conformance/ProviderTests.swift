import Contracts
import Payment
import Postgres
import Simulation
import TestKit
import Testing

@Suite struct `A payment provider` {
    @Test func `in memory keeps its promises`() throws {
        try inMemory { process in try await keepPromises(MemoryProvider(ProviderBook(), process)) }
    }

    @Test(.enabled(if: TestServers.haveDatabase)) func `in PostgreSQL keeps its promises`() async throws {
        try await withTestDatabase([(.payment, PaymentService.migrations)]) { database in
            try await keepPromises(SimulatedProvider(database.connection(as: .payment)))
        }
    }
}

private func payment(_ method: String) -> ProviderPayment {
    ProviderPayment(
        key: fresh(SagaID.self).description, amount: Money(currency: "CHF", minor: 900), method: method)
}

/// What every provider promises for each method of paying.
private func keepPromises(_ provider: some PaymentProvider) async throws {
    let ok = payment("sim_ok")
    #expect(try await provider.charge(ok) == .captured(id: "sim_\(ok.key)"))
    #expect(try await provider.charge(ok) == .captured(id: "sim_\(ok.key)"), "a key is charged once")
    #expect(try await provider.close(ok) == .captured(id: "sim_\(ok.key)"), "money is not denied by a close")
    #expect(try await provider.refund(ok, of: "sim_\(ok.key)") == .refunded)
    #expect(try await provider.refund(ok, of: "sim_\(ok.key)") == .refunded, "a refund may be asked for again")
    #expect(try await provider.charge(ok) == .captured(id: "sim_\(ok.key)"))

    #expect(try await provider.charge(payment("sim_declined")) == .declined(reason: "card-declined"))
    #expect(try await provider.charge(payment("nonsense")) == .declined(reason: "unknown-method"))

    let lost = payment("sim_timeout_after_charge")
    #expect(await answer(to: provider, lost) == .timedOut)
    #expect(try await provider.charge(lost) == .captured(id: "sim_\(lost.key)"))

    let flaky = payment("sim_flaky")
    #expect(await answer(to: provider, flaky) == .failed("flaky"))
    #expect(await answer(to: provider, flaky) == .failed("flaky"))
    #expect(try await provider.charge(flaky) == .captured(id: "sim_\(flaky.key)"))

    let never = payment("sim_never")
    #expect(try await provider.charge(never) == .pending)
    #expect(try await provider.close(never) == .closed)
    #expect(try await provider.charge(never) == .declined(reason: "closed"), "nothing is captured after a close")

    let late = payment("sim_late")
    #expect(try await provider.charge(late) == .pending)
    #expect(try await provider.close(late) == .captured(id: "sim_\(late.key)"))

    let slow = payment("sim_slow:3600000")
    #expect(try await provider.charge(slow) == .pending)
    #expect(try await provider.close(slow) == .closed)

    let unknown = payment("sim_ok")
    #expect(try await provider.close(unknown) == .closed, "what is unknown can be closed")
    #expect(try await provider.charge(unknown) == .declined(reason: "closed"))
}

private func answer(to provider: some PaymentProvider, _ payment: ProviderPayment) async -> ProviderError? {
    do throws(ProviderError) {
        _ = try await provider.charge(payment)
        return nil
    } catch {
        return error
    }
}
