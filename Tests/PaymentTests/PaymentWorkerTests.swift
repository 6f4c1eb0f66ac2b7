import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Postgres
import TestKit
import Testing

@testable import Payment

@Suite(.enabled(if: TestServers.haveDatabase), .serialized, .timeLimit(.minutes(2)))
struct PaymentWorkerTests {
    @Test func `a command that comes again gets the recorded answer, and nobody is charged again`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            let first = try await rig.replies(to: buyer.charge("sim_ok"))
            for _ in 1...3 {
                let again = try await rig.replies(to: buyer.charge("sim_ok"))
                #expect(again.map(\.envelope.id) == first.map(\.envelope.id))
                #expect(again.map(\.envelope.body) == first.map(\.envelope.body))
            }
            #expect(try await rig.provider(buyer)?.calls == 1)
        }
    }

    @Test func `a command that comes to two replicas at once charges once and says the same twice`() async throws {
        try await withRig { rig async throws in
            let other = Rig(rig.database)
            let buyers = (0..<40).map { _ in Buyer() }
            let batch = try buyers.map { try $0.charge("sim_ok") }
            async let one = untilRecovered { try await rig.handler.handle(batch) }
            async let two = untilRecovered { try await other.handler.handle(batch.reversed()) }
            let answers = try await (one, Array(two.reversed()))
            for (left, right) in zip(answers.0, answers.1) {
                #expect(ids(of: left) == ids(of: right))
                #expect(ids(of: left).count == 1)
            }
            let made = try await rig.owner.query(
                "SELECT count(*), count(captured_at) FROM payment.simulated_charge", as: (Int, Int).self)
            #expect(made.first?.0 == 40)
            #expect(made.first?.1 == 40)
            #expect(try await rig.sweep.runOnce() == 0)
        }
    }

    @Test func `a process that dies after the call charges once`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            let batch = [try buyer.charge("sim_ok")]
            let attempts = try await rig.ledger.transact { try await rig.worker.prepare(batch, in: $0) }
            _ = await rig.worker.carryOut(attempts)
            #expect(try await rig.status(of: buyer) == "open")
            #expect(try await rig.isDue(buyer))
            #expect(try await Rig(rig.database).handle(batch[0]) == [.captured])
            #expect(try await rig.provider(buyer).map { [$0.status, "\($0.calls)"] } == ["captured", "2"])
            #expect(try await !rig.isDue(buyer))
        }
    }

    @Test func `a process that dies before the call leaves a charge that falls due`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            let batch = [try buyer.charge("sim_ok")]
            _ = try await rig.ledger.transact { try await rig.worker.prepare(batch, in: $0) }
            #expect(try await rig.sweep.runOnce() == 0)
            try await rig.makeDue()
            #expect(try await rig.sweep.runOnce() == 1)
            #expect(rig.outlet.ids == [buyer.answer(.captured).description])
            let late = try await rig.replies(to: batch[0])
            #expect(late.map(\.envelope.id) == [buyer.answer(.captured)])
            #expect(try await rig.provider(buyer)?.calls == 1)
        }
    }

    @Test func `what the sweep answered, the command's repeat answers too`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("sim_timeout_after_charge")).isEmpty)
            #expect(try await rig.sweep.runOnce() == 1)
            let replies = try await rig.replies(to: buyer.charge("sim_timeout_after_charge"))
            #expect(replies.map(\.envelope.id) == [buyer.answer(.captured)])
            #expect(replies.map(\.envelope.step) == [2])
        }
    }

    @Test func `a second amount for the same saga changes nothing`() async throws {
        try await withRig { rig async throws in
            let buyer = Buyer()
            #expect(try await rig.handle(buyer.charge("sim_ok")) == [.captured])
            let other = try buyer.charge("sim_ok", amount: Money(currency: "EUR", minor: 1), step: 7)
            let reply = try #require(try await rig.replies(to: other).first)
            #expect(try reply.envelope.decode(PaymentCaptured.self).amount == euros)
            #expect(reply.envelope.id == buyer.answer(.captured))
            #expect(try await rig.provider(buyer)?.calls == 1)
        }
    }

    @Test func `what cannot be read is deadLettered alone`() async throws {
        try await withRig { rig async throws in
            let good = Buyer()
            var bad = try Buyer().charge("sim_ok")
            bad.body = Data("{".utf8)
            var foreign = try Buyer().charge("sim_ok")
            foreign.kind = .reserve
            let outcomes = try await rig.handler.handle([bad, try good.charge("sim_ok"), foreign])
            #expect(reason(of: outcomes[0])?.hasPrefix("malformed-body: ") == true)
            #expect(ids(of: outcomes[1]) == [good.answer(.captured)])
            #expect(reason(of: outcomes[2])?.hasPrefix("unexpected-kind") == true)
            #expect(
                try await rig.owner.query("SELECT count(*) FROM payment.inbox", as: Int.self) == [1])
        }
    }

    @Test func `a batch is answered in order, whatever is in it`() async throws {
        try await withRig { rig async throws in
            let buyers = (0..<300).map { _ in Buyer() }
            let methods = ["sim_ok", "sim_declined", "sim_never"]
            let batch = try buyers.enumerated().map { try $1.charge(methods[$0 % 3]) }
            let outcomes = try await rig.handler.handle(batch + batch.prefix(3))
            for (index, buyer) in buyers.enumerated() {
                let expected = [[buyer.answer(.captured)], [buyer.answer(.declined)], []][index % 3]
                #expect(ids(of: outcomes[index]) == expected)
            }
            #expect(Array(outcomes.suffix(3)) == Array(outcomes.prefix(3)))
        }
    }

    @Test func `the worker may not change an amount, nor erase anything`() async throws {
        try await withRig { rig async throws in
            let connection = rig.database.connection(as: .payment)
            for sql in [
                "UPDATE payment.charge SET amount_minor = 1", "DELETE FROM payment.charge",
                "DELETE FROM payment.attempt",
                "UPDATE payment.attempt SET outcome = 'captured'", "TRUNCATE payment.charge",
            ] {
                await #expect(throws: PostgresError.self) { try await connection.execute(sql) }
            }
            let orchestrator = rig.database.connection(as: .orchestrator)
            #expect(try await orchestrator.query("SELECT count(*) FROM payment.charge_list", as: Int.self) == [0])
            await #expect(throws: PostgresError.self) {
                try await orchestrator.query("SELECT count(*) FROM payment.charge", as: Int.self)
            }
        }
    }
}

/// What the lane does about transient errors, without its pauses.
func untilRecovered<R: Sendable>(_ work: @Sendable () async throws -> R) async throws -> R {
    for _ in 1...50 {
        do {
            return try await work()
        } catch let error as any RecoverableFailure where error.isTransient {
            await Task.yield()
        }
    }
    return try await work()
}

func ids(of outcome: Outcome) -> [MessageID] {
    if case .reply(let messages) = outcome { messages.map(\.envelope.id) } else { [] }
}

func reason(of outcome: Outcome) -> String? {
    if case .deadLetter(let reason, _) = outcome { reason } else { nil }
}
