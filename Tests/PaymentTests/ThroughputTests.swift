import Contracts
import FleetRuntime
import Postgres
import TestKit
import Testing

@testable import Payment

@Suite(.enabled(if: TestServers.haveDatabase), .serialized, .timeLimit(.minutes(2)))
struct ThroughputTests {
    /// Two commits of ours; the provider's calls are gathered into a few more.
    @Test func `a batch of 500 charges costs a handful of commits`() async throws {
        try await withRig { rig async throws in
            _ = try await rig.handler.handle([Buyer().charge("sim_ok")])
            let before = try await commits(rig)
            let outcomes = try await rig.handler.handle((0..<500).map { _ in try Buyer().charge("sim_ok") })
            #expect(outcomes.flatMap(ids).count == 500)
            #expect(try await commits(rig) - before <= 8)
        }
    }

    /// Read from the log of what was written, for the counters of the statistics lag behind.
    private func commits(_ rig: Rig) async throws -> Int {
        try await rig.owner.query(
            """
            SELECT count(DISTINCT stamp)
            FROM (
                SELECT xmin::text AS stamp FROM payment.charge
                UNION ALL SELECT xmin::text FROM payment.attempt
                UNION ALL SELECT xmin::text FROM payment.inbox
                UNION ALL SELECT xmin::text FROM payment.simulated_charge
            ) AS rows
            """, as: Int.self
        ).reduce(0, +)
    }
}
