import Contracts
import Postgres
import TestKit
import Testing

@testable import Payment

@Suite(.enabled(if: TestServers.haveDatabase), .serialized, .timeLimit(.minutes(2)))
struct RefundingTests {
    @Test func `a refund is asked for until it is done, and answered once`() async throws {
        let provider = ScriptedProvider(refund: { _, number in
            switch number {
            case 0: .failure(.unavailable("down"))
            case 1: .failure(.failed("later"))
            case 2: .success(.pending)
            default: .success(.refunded)
            }
        })
        try await withRig(provider: provider) { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("pm")) == [.captured])
            #expect(try await rig.handle(buyer.refund()).isEmpty)
            for _ in 1...2 {
                #expect(try await rig.sweep.runOnce() == 1)
                #expect(try await rig.status(of: buyer) == "refunding")
            }
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(rig.outlet.ids == [buyer.answer(.refunded).description])
            let reply = try #require(try await rig.replies(to: buyer.refund()).first)
            #expect(try reply.envelope.decode(PaymentRefunded.self).amount == euros)
            #expect(provider.count(of: .refund) == 4)
            #expect(
                try await rig.attempts(buyer) == [
                    "charge captured", "refund unavailable", "refund failed", "refund pending", "refund refunded",
                ])
        }
    }

    @Test func `a refund of what nobody knows is nothing, and no charge can follow`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            let reply = try #require(try await rig.replies(to: buyer.refund()).first)
            #expect(try reply.envelope.decode(PaymentRefunded.self).amount == Money(currency: "EUR", minor: 0))
            #expect(try await rig.handle(buyer.charge("sim_ok")).isEmpty)
            #expect(try await rig.provider(buyer) == nil)
        }
    }

    @Test func `a refund of a pending charge closes it first`() async throws {
        try await withRig { rig async throws in
            let never = Buyer()
            #expect(try await rig.handle(never.charge("sim_never")).isEmpty)
            let reply = try #require(try await rig.replies(to: never.refund()).first)
            #expect(try reply.envelope.decode(PaymentRefunded.self).amount == Money(currency: "EUR", minor: 0))
            #expect(try await rig.provider(never)?.status == "closed")

            let late = Buyer()
            #expect(try await rig.handle(late.charge("sim_late")).isEmpty)
            #expect(try await rig.handle(late.refund()).isEmpty)
            #expect(try await rig.status(of: late) == "refunding")
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(rig.outlet.ids == [late.answer(.refunded).description])
            #expect(try await rig.provider(late)?.status == "refunded")
        }
    }

    @Test func `a refund gives back what was taken, whatever the command says`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("sim_ok")) == [.captured])
            let refund = try buyer.refund(Money(currency: "EUR", minor: 999_999))
            let reply = try #require(try await rig.replies(to: refund).first)
            #expect(try reply.envelope.decode(PaymentRefunded.self).amount == euros)
            #expect(try await rig.handle(buyer.charge("sim_ok")) == [.captured])
            #expect(try await rig.handle(buyer.close()) == [.captured])
            #expect(try await rig.provider(buyer)?.status == "refunded")
        }
    }
}
