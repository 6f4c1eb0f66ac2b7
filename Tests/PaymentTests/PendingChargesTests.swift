import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Postgres
import TestKit
import Testing

@testable import Payment

@Suite(.enabled(if: TestServers.haveDatabase), .serialized, .timeLimit(.minutes(2)))
struct PendingChargesTests {
    @Test func `an answer that was written down and not sent is sent later, with the same id`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("sim_timeout_after_charge")).isEmpty)
            rig.outlet.die()
            await #expect(throws: FakeOutlet.Dead.self) { try await rig.sweep.runOnce() }
            #expect(try await rig.status(of: buyer) == "captured")
            #expect(try await rig.isDue(buyer))
            #expect(try await rig.sweep.runOnce() == 0, "the lease keeps others away")
            rig.outlet.live()
            try await rig.makeDue()
            #expect(try await Rig(rig.database).sweep.runOnce() == 1)
            #expect(try await !rig.isDue(buyer))
            #expect(try await rig.provider(buyer)?.calls == 2)
        }
    }

    @Test func `a process that dies after sending sends the same again, and then no more`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("sim_timeout_after_charge")).isEmpty)
            #expect(try await rig.sweep.runOnce() == 1)
            _ = try await rig.owner.execute("UPDATE payment.charge SET next_check_at = now()")
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(rig.outlet.ids == [buyer.answer(.captured), buyer.answer(.captured)].map(\.description))
            #expect(try await rig.sweep.runOnce() == 0)
        }
    }

    @Test func `two sweeps at once share the work`() async throws {
        try await withRig { rig async throws in
            let buyers = (0..<300).map { _ in Buyer() }
            _ = try await rig.handler.handle(buyers.map { try $0.charge("sim_timeout_after_charge") })
            let other = Rig(rig.database)
            async let one = rig.sweep.runOnce()
            async let two = other.sweep.runOnce()
            #expect(try await one + two == 300)
            let sent = rig.outlet.ids + other.outlet.ids
            #expect(sent.count == 300)
            let missing = Set(buyers.map { $0.answer(.captured).description }).subtracting(sent)
            #expect(missing.isEmpty)
            let counts = try await rig.owner.query("SELECT max(calls) FROM payment.simulated_charge", as: Int.self)
            #expect(counts == [2])
        }
    }

    /// The lane is slow, the sweep finds the charge due and finishes it first; the lane then says what stands.
    @Test func `a lane that loses to the sweep answers what the sweep found`() async throws {
        let provider = ScriptedProvider(charge: { _, number in
            number == 0 ? .failure(.timedOut) : .success(.captured(id: "p1"))
        })
        try await withRig(provider: provider) { rig async throws in
            let buyer = Buyer()
            let batch = [try buyer.charge("pm")]
            let attempts = try await rig.ledger.transact { try await rig.worker.prepare(batch, in: $0) }
            let results = await rig.worker.carryOut(attempts)
            try await rig.makeDue()
            #expect(try await rig.sweep.runOnce() == 1)
            let outcomes = try await rig.handler.conclude(batch, results)
            #expect(outcomes.flatMap(ids) == [buyer.answer(.captured)])
            #expect(rig.outlet.ids == [buyer.answer(.captured).description])
            #expect(try await rig.status(of: buyer) == "captured")
            #expect(try await !rig.isDue(buyer))
        }
    }

    /// The sweep has asked about the charge when the close takes over; the capture it brings answers the close.
    @Test func `a sweep that loses to a close answers the close with what it found`() async throws {
        let provider = ScriptedProvider(
            charge: { _, number in number == 0 ? .success(.pending) : .success(.captured(id: "p1")) },
            close: { _, _ in .failure(.unavailable("down")) })
        try await withRig(provider: provider) { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("pm")).isEmpty)
            let book = PostgresChargeStore()
            let stale = try await rig.ledger.transact { try await book.find([buyer.saga], in: $0) }
            #expect(try await rig.handle(buyer.close()).isEmpty)
            let settlement = Settlement(book: book, pauses: Pauses(), logger: quiet)
            let findings = stale.map { Finding($0, .charge(.captured(id: "p1"))) }
            let settled = try await rig.ledger.transact {
                try await settlement.record(findings, whenFinished: .zero, in: $0)
            }
            #expect(settled[buyer.saga]?.state == .captured(id: "p1"))
            #expect(settled[buyer.saga]?.owed.operation == .close)
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(rig.outlet.ids == [buyer.answer(.captured).description])
            #expect(try await rig.handle(buyer.close()) == [.captured])
        }
    }

    /// A close's answer arrives after a refund has taken over: what was captured must not be left standing.
    @Test func `a close that loses to a refund leaves the money on its way back`() async throws {
        let provider = ScriptedProvider(
            charge: { _, _ in .success(.pending) }, close: { _, _ in .failure(.unavailable("down")) })
        try await withRig(provider: provider) { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("pm")).isEmpty)
            #expect(try await rig.handle(buyer.close()).isEmpty)
            let book = PostgresChargeStore()
            let stale = try await rig.ledger.transact { try await book.find([buyer.saga], in: $0) }
            #expect(try await rig.handle(buyer.refund()).isEmpty)
            let settlement = Settlement(book: book, pauses: Pauses(), logger: quiet)
            let findings = stale.map { Finding($0, .close(.captured(id: "p1"))) }
            _ = try await rig.ledger.transact { try await settlement.record(findings, whenFinished: nil, in: $0) }
            #expect(try await rig.status(of: buyer) == "refunding")
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(rig.outlet.ids == [buyer.answer(.refunded).description])
        }
    }

    @Test func `pauses grow while the provider is silent, and start again with another question`() async throws {
        let provider = ScriptedProvider(
            charge: { _, _ in .success(.pending) }, close: { _, _ in .failure(.unavailable("down")) })
        try await withRig(provider: provider) { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("pm")).isEmpty)
            for _ in 1...3 { #expect(try await rig.sweep.runOnce() == 1) }
            func attempts() async throws -> [Int] {
                try await rig.owner.query("SELECT attempts FROM payment.charge", as: Int.self)
            }
            #expect(try await attempts() == [4])
            #expect(try await rig.handle(buyer.close()).isEmpty)
            #expect(try await attempts() == [1])
        }
    }

    @Test func `a provider that hangs does not hold up the lane`() async throws {
        let provider = ScriptedProvider(charge: { _, number in
            guard number == 0 else { return .success(.captured(id: "p1")) }
            do { try await Task.sleep(for: .seconds(3_600)) } catch {}
            return .success(.captured(id: "p1"))
        })
        try await withRig(provider: provider, patience: .milliseconds(50)) { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("pm")).isEmpty)
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(rig.outlet.ids == [buyer.answer(.captured).description])
        }
    }

    @Test func `every purchase ends as it should while everything goes wrong at once`() async throws {
        try await withRig { rig async throws in
            let other = Rig(rig.database)
            let methods = ["sim_ok", "sim_declined", "sim_timeout_after_charge", "sim_flaky", "sim_slow:5", "sim_late"]
            let buyers = (0..<120).map { _ in Buyer() }
            let batch = try buyers.enumerated().map { try $1.charge(methods[$0 % methods.count]) }
            async let one = untilRecovered { try await rig.handler.handle(batch) }
            async let two = untilRecovered { try await other.handler.handle(batch.shuffled()) }
            async let three = untilRecovered { try await rig.sweep.runOnce() }
            _ = try await (one, two, three)
            _ = try await other.handler.handle(buyers.enumerated().filter { $0.0 % 6 == 5 }.map { try $1.close() })
            while try await unfinished(rig) > 0 { _ = try await rig.sweep.runOnce() + other.sweep.runOnce() }
            let mismatches = try await rig.owner.query(
                """
                SELECT charge.saga_id FROM payment.charge
                LEFT JOIN payment.simulated_charge AS provider USING (idempotency_key)
                WHERE charge.status IS DISTINCT FROM provider.status OR charge.next_check_at IS NOT NULL
                """, as: UUID.self)
            #expect(mismatches.isEmpty)
            for (index, outcome) in try await rig.handler.handle(batch).enumerated() where index % 6 != 5 {
                let kind: MessageKind = index % 6 == 1 ? .declined : .captured
                #expect(ids(of: outcome) == [buyers[index].answer(kind)])
            }
        }
    }

    private func unfinished(_ rig: Rig) async throws -> Int {
        try await rig.makeDue()
        return try await rig.owner.query(
            "SELECT count(*) FROM payment.charge WHERE next_check_at IS NOT NULL", as: Int.self
        ).reduce(0, +)
    }
}
