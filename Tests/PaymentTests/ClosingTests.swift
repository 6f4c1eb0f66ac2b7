import Contracts
import FleetRuntime
import FleetStorage
import Postgres
import RabbitMQ
import TestKit
import Testing

@testable import Payment

@Suite(.enabled(if: TestServers.haveDatabase), .serialized, .timeLimit(.minutes(2)))
struct ClosingTests {
    @Test func `a close that comes before its charge keeps the charge from ever being made`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.close()) == [.closed])
            #expect(try await rig.handle(buyer.charge("sim_ok")).isEmpty)
            #expect(try await rig.provider(buyer) == nil)
            #expect(try await rig.attempts(buyer).isEmpty)
            #expect(try await rig.handle(buyer.close()) == [.closed])
        }
    }

    @Test(arguments: [true, false])
    func `charge and close in one batch end closed, in either order`(_ isCloseFirst: Bool) async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            let batch = [try buyer.charge("sim_ok"), try buyer.close()]
            let outcomes = try await rig.handler.handle(isCloseFirst ? batch.reversed() : batch)
            let close = try #require(isCloseFirst ? outcomes.first : outcomes.last)
            #expect(ids(of: close) == [buyer.answer(.closed)])
            #expect(outcomes.flatMap(ids).count == 1)
            #expect(try await rig.provider(buyer)?.status != "captured")
        }
    }

    @Test(arguments: [("sim_ok", MessageKind.captured), ("sim_declined", .declined)])
    func `a close that comes too late is answered with what happened`(
        _ method: String, _ answer: MessageKind
    ) async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge(method)) == [answer])
            let reply = try #require(try await rig.replies(to: buyer.close()).first)
            #expect(reply.envelope.id == buyer.answer(answer))
            #expect(reply.envelope.step == 3)
        }
    }

    @Test func `a close that races its charge is answered with what the provider did`() async throws {
        try await withRig { rig async throws in
            let other = Rig(rig.database)
            let buyers = (0..<150).map { _ in Buyer() }
            let charges = try buyers.map { try $0.charge("sim_ok") }
            let closes = try buyers.map { try $0.close() }
            async let charging = inPortions(charges, by: rig)
            async let closing = inPortions(closes, by: other)
            _ = try await charging
            let answers = try await closing
            for (buyer, answer) in zip(buyers, answers) {
                let status = try await rig.provider(buyer)?.status
                let expected = status == "captured" ? buyer.answer(.captured) : buyer.answer(.closed)
                #expect(ids(of: answer) == [expected])
                #expect(try await rig.status(of: buyer) == (status == "captured" ? "captured" : "closed"))
            }
            #expect(try await rig.sweep.runOnce() == 0)
        }
    }

    private func inPortions(_ batch: [Envelope], by rig: Rig) async throws -> [Outcome] {
        var outcomes: [Outcome] = []
        for start in stride(from: 0, to: batch.count, by: 10) {
            let portion = Array(batch[start..<min(start + 10, batch.count)])
            outcomes += try await untilRecovered { try await rig.handler.handle(portion) }
        }
        return outcomes
    }

    @Test func `a capture that shows up after the close is answered captured, so that it can go back`() async throws {
        let liar = ScriptedProvider(charge: { _, _ in .success(.captured(id: "p1")) })
        try await withRig(provider: liar) { rig async throws in
            let buyer = Buyer()
            let batch = [try buyer.charge("pm")]
            let attempts = try await rig.ledger.transact { try await rig.worker.prepare(batch, in: $0) }
            #expect(try await rig.handle(buyer.close()) == [.closed])
            let results = await rig.worker.carryOut(attempts)
            let outcomes = try await rig.handler.conclude(batch, results)
            #expect(outcomes.flatMap(ids) == [buyer.answer(.captured)])
            #expect(try await rig.handle(buyer.refund()) == [.refunded])
            #expect(liar.count(of: .refund) == 1)
        }
    }

    @Test func `a close that the provider leaves open is answered when it can be, with the close's own step`()
        async throws
    {
        let provider = ScriptedProvider(
            charge: { _, _ in .success(.pending) },
            close: { _, number in number < 2 ? .failure(.unavailable("down")) : .success(.closed) })
        try await withRig(provider: provider) { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("pm")).isEmpty)
            #expect(try await rig.handle(buyer.close()).isEmpty)
            #expect(try await rig.status(of: buyer) == "closing")
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(rig.outlet.kinds.isEmpty)
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(rig.outlet.ids == [buyer.answer(.closed).description])
            #expect(rig.outlet.publications.first?.properties.headers["step"] == .integer(3))
            #expect(try await rig.handle(buyer.close()) == [.closed])
            #expect(try await rig.handle(buyer.charge("pm")).isEmpty)
            #expect(provider.count(of: .close) == 3)
        }
    }

    @Test func `a charge that comes while the close is open leaves the close to whoever asked for it`() async throws {
        let provider = ScriptedProvider(close: { _, number in
            number == 0 ? .failure(.unavailable("down")) : .success(.closed)
        })
        try await withRig(provider: provider) { rig async throws in
            let buyer = Buyer()
            _ = try await rig.ledger.transact { try await rig.worker.prepare([buyer.charge("pm")], in: $0) }
            #expect(try await rig.handle(buyer.close()).isEmpty)
            #expect(try await rig.handle(buyer.charge("pm")).isEmpty)
            #expect(provider.count(of: .close) == 1)
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(rig.outlet.ids == [buyer.answer(.closed).description])
        }
    }

    /// The charge's answer may be lost with the broker; then only the close is asked again.
    @Test func `a capture that a charge finds while the close is open answers the close as well`() async throws {
        let provider = ScriptedProvider(
            charge: { _, number in number == 0 ? .success(.captured(id: "p1")) : .success(.pending) },
            close: { _, _ in .failure(.unavailable("down")) })
        try await withRig(provider: provider) { rig async throws in
            let buyer = Buyer()
            let batch = [try buyer.charge("pm")]
            let attempts = try await rig.ledger.transact { try await rig.worker.prepare(batch, in: $0) }
            #expect(try await rig.handle(buyer.close()).isEmpty)
            let results = await rig.worker.carryOut(attempts)
            _ = try await rig.handler.conclude(batch, results)
            #expect(try await rig.status(of: buyer) == "captured")
            #expect(try await rig.handle(buyer.close()) == [.captured])
        }
    }
}
