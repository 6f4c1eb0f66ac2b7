import Contracts
import Foundation
import OrchestratorService
import Postgres
import SagaCore
import TestKit
import Testing
import WireJSON

extension TestFleet {
    /// Looks into the database with every right.
    func ask<Value: PostgresDecodable & Sendable>(_ sql: String, as type: Value.Type) async throws -> [Value] {
        let owner = database.owner()
        let rows = try await owner.query(sql, as: (Value).self)
        await owner.close()
        return rows
    }

    func count(_ sql: String) async throws -> Int {
        Int(try #require(try await ask("SELECT count(*) FROM \(sql)", as: Int64.self).first))
    }

    /// Whatever the test did: stock is conserved, money matches tickets, every journal replays to its saga's state.
    func expectInvariants() async throws {
        let drifted = try await count(
            """
            reservation.tier t WHERE (held, sold) <> (
                SELECT coalesce(sum(quantity) FILTER (WHERE status = 'held'), 0),
                       coalesce(sum(quantity) FILTER (WHERE status = 'sold'), 0)
                FROM reservation.hold h WHERE h.event_id = t.event_id AND h.tier = t.name)
            """)
        #expect(drifted == 0, "held and sold must be the sums of the holds")
        let unpaid = try await count(
            """
            orchestrator.saga s JOIN payment.charge c ON c.saga_id = s.id
            WHERE (s.outcome = 'completed') <> (c.status = 'captured') AND s.outcome IS NOT NULL
            """)
        #expect(unpaid == 0, "a captured charge belongs to a completed purchase, and the reverse")
        try await expectJournalsReplay()
    }

    private func expectJournalsReplay() async throws {
        let owner = database.owner()
        let rows = try await owner.query(
            """
            SELECT s.id, s.detail, s.version, j.input FROM orchestrator.saga s
            JOIN orchestrator.saga_step j ON j.saga_id = s.id ORDER BY s.id, j.version
            """, as: (UUID, String, Int32, String).self)
        await owner.close()
        for (saga, steps) in Dictionary(grouping: rows, by: \.0) {
            var state: PurchaseState?
            for step in steps {
                let input = try WireFormat.decode(PurchaseInput.self, fromText: step.3)
                switch PurchaseSaga.step(state, on: input) {
                case .move(let next, _): state = next
                case .stay: break
                case .ignore(let reason): Issue.record("\(saga): the journal holds an ignored input: \(reason)")
                }
            }
            let stored = try WireFormat.decode(PurchaseState.self, fromText: steps[0].1)
            #expect(state == stored, "\(saga): the journal must replay to the stored state")
            #expect(steps.count == Int(steps[0].2), "\(saga): versions must count the steps")
        }
    }
}
