import Contracts
import Expiry
import Foundation
import Postgres
import RabbitMQ
import TestKit
import Testing

@Suite(.enabled(if: TestServers.haveDatabase), .timeLimit(.minutes(2)))
struct DueTimersTests {
    @Test func `two replicas share a thousand due timers and each fires once`() async throws {
        try await withTestDatabase([(.expiry, ExpiryService.migrations)]) { database in
            let bench = TimerBench(database)
            let sagas = (0..<1_000).map { _ in SagaID.make() }
            _ = try await bench.handle(sagas.map { try .schedule($0) })
            let outlets = [RecordingOutlet(), RecordingOutlet()]
            try await withThrowingTaskGroup { group in
                for outlet in outlets {
                    let replica = bench.sweep(outlet, on: database.connection(as: .expiry), batch: 50)
                    group.addTask { while try await replica.runOnce() > 0 {} }
                }
                try await group.waitForAll()
            }
            let told = outlets.flatMap(\.published).compactMap(\.properties.correlationID)
            #expect(told.count == 1_000)
            #expect(Set(told) == Set(sagas.map(\.description)))
            #expect(outlets.allSatisfy { !$0.published.isEmpty })
            #expect(try await bench.statuses() == ["fired": 1_000])
        }
    }

    @Test func `a timer whose publishing failed fires after the lease, with the same message id`() async throws {
        try await TimerBench.with { bench in
            try await bench.handle(.schedule(SagaID.make()))
            let outlet = RecordingOutlet(failures: 1)
            let sweep = bench.sweep(outlet)
            await #expect(throws: RecordingOutlet.Crash.self) { try await sweep.runOnce() }
            #expect(try await sweep.runOnce() == 0, "the claim keeps the timer from others")
            try await bench.endLeases()
            #expect(try await sweep.runOnce() == 1)
            #expect(outlet.published.count == 2)
            #expect(Set(outlet.published.map(\.properties.messageID)).count == 1)
            #expect(try await bench.statuses() == ["fired": 1])
        }
    }

    @Test func `a timer cancelled while it is claimed stays cancelled`() async throws {
        try await TimerBench.with { bench in
            let saga = SagaID.make()
            try await bench.handle(.schedule(saga))
            let timers = PostgresTimers(bench.connection)
            let claimed = try await timers.claimDue(10, for: .seconds(5))
            try await bench.handle(.cancel(saga))
            try await timers.markFired(claimed.map(\.key))
            #expect(claimed.count == 1)
            #expect(try await bench.statuses() == ["cancelled": 1])
        }
    }

    @Test func `the longest due timers are claimed first`() async throws {
        try await TimerBench.with { bench in
            let sagas = (1...20).map { _ in SagaID.make() }
            _ = try await bench.handle(sagas.enumerated().map { try .schedule($1, due: -60 - Double($0)) })
            let claimed = try await PostgresTimers(bench.connection).claimDue(5, for: .seconds(5))
            #expect(Set(claimed.map(\.key.sagaID)) == Set(sagas.suffix(5)))
        }
    }

    @Test func `timers that ended long ago are forgotten, live and fresh ones are not`() async throws {
        try await TimerBench.with { bench in
            var random = SystemRandomNumberGenerator()
            let born = Date(timeIntervalSinceNow: -9 * 86_400).millisecondsSince1970
            let old = (0..<5).map { _ in SagaID.make(at: born, using: &random) }
            _ = try await bench.handle(old.map { try .schedule($0, due: 3_600) })
            _ = try await bench.handle(old.prefix(3).map { try .cancel($0) })
            try await bench.handle(.cancel(SagaID.make()))
            let sweep = EndedTimers(PostgresTimers(bench.connection), batch: 2)
            #expect(try await sweep.runOnce() == 0, "they ended just now")
            _ = try await bench.owner.execute(
                "UPDATE expiry.timer SET ended_at = now() - interval '8 days' WHERE ended_at IS NOT NULL")
            #expect(try await sweep.runOnce() == 2)
            #expect(try await sweep.runOnce() == 1)
            #expect(try await sweep.runOnce() == 0)
            #expect(try await bench.statuses() == ["scheduled": 2, "cancelled": 1])
        }
    }

    @Test func `looking for due timers among a hundred thousand live ones reads the index, not the table`() async throws
    {
        try await TimerBench.with { bench in
            try await bench.owner.script(
                """
                SET statement_timeout = 0;
                INSERT INTO expiry.timer (saga_id, subject, due_at, command_id, status)
                SELECT gen_random_uuid(), 'hold', now() + n * interval '1 minute', gen_random_uuid(), 'scheduled'
                FROM generate_series(-4, 100000) AS n;
                ANALYZE expiry.timer;
                """)
            let before = try await bench.scans()
            #expect(try await PostgresTimers(bench.connection).claimDue(500, for: .seconds(5)).count == 5)
            let after = try await bench.scans()
            #expect(after.ofTable == before.ofTable)
            #expect(after.ofIndex == before.ofIndex + 1)
        }
    }
}

extension TimerBench {
    /// How often the table was read from end to end, and its index of due timers used, on either connection.
    fileprivate func scans() async throws -> (ofTable: Int, ofIndex: Int) {
        for each in [connection, owner] {
            _ = try await each.query("SELECT pg_stat_force_next_flush()", as: (String).self)
        }
        let rows = try await owner.query(
            """
            SELECT seq_scan, pg_stat_get_numscans('expiry.timer_due'::regclass)
            FROM pg_stat_user_tables
            WHERE relid = 'expiry.timer'::regclass
            """, as: (Int, Int).self)
        let row = try #require(rows.first)
        return (row.0, row.1)
    }
}
