import Contracts
import FleetRuntime
import Postgres
import TestKit
import Testing

@testable import Payment

@Suite(.enabled(if: TestServers.haveDatabase), .serialized, .timeLimit(.minutes(2)))
struct SimulatedMethodsTests {
    @Test func `sim_ok is captured at once, and nothing is left to do`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            let reply = try #require(try await rig.replies(to: buyer.charge("sim_ok")).first)
            #expect(reply.destination == .orchestrator)
            #expect(reply.envelope.id == buyer.answer(.captured))
            #expect(reply.envelope.step == 2)
            #expect(try reply.envelope.causationID == buyer.charge("sim_ok").id)
            #expect(reply.envelope.traceparent == buyer.trace)
            let body = try reply.envelope.decode(PaymentCaptured.self)
            #expect(body == PaymentCaptured(chargeId: "sim_\(buyer.saga)", amount: euros))
            #expect(try await rig.status(of: buyer) == "captured")
            #expect(try await !rig.isDue(buyer))
            #expect(try await rig.sweep.runOnce() == 0)
            #expect(try await rig.attempts(buyer) == ["charge captured"])
        }
    }

    @Test(arguments: [("sim_declined", "card-declined"), ("pm_visa", "unknown-method")])
    func `a refused method is declined with its reason`(_ method: String, _ reason: String) async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            let reply = try #require(try await rig.replies(to: buyer.charge(method)).first)
            #expect(reply.envelope.id == buyer.answer(.declined))
            #expect(try reply.envelope.decode(PaymentDeclined.self).reason == reason)
            #expect(try await !rig.isDue(buyer))
        }
    }

    @Test func `sim_timeout_after_charge is found captured by the sweep, once`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("sim_timeout_after_charge")).isEmpty)
            #expect(try await rig.status(of: buyer) == "open")
            #expect(try await rig.provider(buyer)?.status == "captured")
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(rig.outlet.ids == [buyer.answer(.captured).description])
            #expect(try await !rig.isDue(buyer))
            #expect(try await rig.attempts(buyer) == ["charge timed-out", "charge captured"])
        }
    }

    @Test func `sim_flaky is captured at the third call`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("sim_flaky")).isEmpty)
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(rig.outlet.kinds.isEmpty)
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(rig.outlet.kinds == ["payment.captured.v1"])
            #expect(try await rig.provider(buyer).map { [$0.status, "\($0.calls)"] } == ["captured", "3"])
        }
    }

    @Test func `sim_slow is pending before its time and captured after it`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("sim_slow:3600000")).isEmpty)
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(try await rig.status(of: buyer) == "open")
            _ = try await rig.owner.execute("UPDATE payment.simulated_charge SET captures_at = now()")
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(rig.outlet.kinds == ["payment.captured.v1"])
        }
    }

    @Test func `sim_never is pending until it is closed`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("sim_never")).isEmpty)
            for _ in 1...5 { #expect(try await rig.sweep.runOnce() == 1) }
            #expect(try await rig.status(of: buyer) == "open")
            let reply = try #require(try await rig.replies(to: buyer.close()).first)
            #expect(reply.envelope.id == buyer.answer(.closed))
            #expect(reply.envelope.step == 3)
            #expect(try await rig.sweep.runOnce() == 0)
            #expect(try await rig.provider(buyer)?.status == "closed")
        }
    }

    @Test func `sim_late is captured when asked to close`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("sim_late")).isEmpty)
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(try await rig.status(of: buyer) == "open")
            #expect(try await rig.handle(buyer.close()) == [.captured])
            #expect(try await !rig.isDue(buyer))
        }
    }

    @Test func `the provider charges a key once, however many ask at once`() async throws {
        try await withRig { rig async throws in
            let providers = [0, 1].map { _ in SimulatedProvider(rig.database.connection(as: .payment)) }
            let payments = (0..<50).map { ProviderPayment(key: "k\($0)", amount: euros, method: "sim_ok") }
            try await withThrowingTaskGroup { group in
                for payment in payments {
                    for provider in providers { group.addTask { try await provider.charge(payment) } }
                }
                for try await answer in group { #expect(ProviderAnswer.charge(answer).outcome == .captured) }
            }
            let rows = try await rig.owner.query(
                "SELECT count(*), sum(calls)::bigint FROM payment.simulated_charge", as: (Int, Int).self)
            #expect(rows.first?.0 == 50)
            #expect(rows.first?.1 == 100)
        }
    }

    @Test func `the provider never captures what it has closed, and refuses a key with another amount`() async throws {
        try await withRig { rig async throws in
            let provider = SimulatedProvider(rig.database.connection(as: .payment))
            let payment = ProviderPayment(key: "k", amount: euros, method: "sim_ok")
            #expect(try await provider.close(payment) == .closed)
            #expect(try await provider.charge(payment) == .declined(reason: "closed"))
            #expect(try await provider.close(payment) == .closed)
            let other = ProviderPayment(key: "k", amount: Money(currency: "EUR", minor: 1), method: "sim_ok")
            await #expect(throws: ProviderError.self) { try await provider.charge(other) }
            await #expect(throws: ProviderError.failed("nothing was captured")) {
                try await provider.refund(payment, of: "sim_k")
            }
        }
    }

    @Test func `a charge that was refunded is still the charge that was made`() async throws {
        try await withRig { rig async throws in
            let provider = SimulatedProvider(rig.database.connection(as: .payment))
            let payment = ProviderPayment(key: "k", amount: euros, method: "sim_ok")
            #expect(try await provider.charge(payment) == .captured(id: "sim_k"))
            #expect(try await provider.refund(payment, of: "sim_k") == .refunded)
            #expect(try await provider.refund(payment, of: "sim_k") == .refunded)
            #expect(try await provider.charge(payment) == .captured(id: "sim_k"))
            #expect(try await provider.close(payment) == .captured(id: "sim_k"))
        }
    }
}
