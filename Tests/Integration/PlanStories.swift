import Contracts
import Foundation
import Postgres
import TestKit
import Testing

/// How the database finds what operators ask for, among much that has ended.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `The questions of operators` {
    /// What grows with every event and purchase and is asked about; the tiers are few beside it.
    private static let large = [
        "saga", "saga_step", "dead_letter", "operator_action", "event", "timer", "hold", "ticket", "seat",
    ]

    @Test func `never read a large table from end to end`() async throws {
        let lines = LogLines()
        try await withFleetServers { database, broker in
            // Every statement of every session comes with its plan, as it was carried out.
            let name = try #require(URLComponents(string: database.url)?.path.dropFirst())
            let owner = database.owner()
            for setting in [
                "session_preload_libraries = 'auto_explain'", "auto_explain.log_min_duration = 0",
                "auto_explain.log_level = notice",
            ] {
                try await owner.script("ALTER DATABASE \(name) SET \(setting)")
            }
            await owner.close()
            try await runFleet(database, broker, ["DEAD_LETTERS": "filed"], logger: lines.logger) { fleet in
                let history = try await History(fleet)
                lines.forget()  // While the tables were small, reading them whole was right.
                for _ in 0..<8 { try await history.askEverything() }
            }
        }
        let plans = lines.all.filter { $0.contains("Query Text") }
        #expect(plans.count > 300)
        #expect(plans.contains { $0.contains("ORDER BY id DESC") })
        for plan in plans {
            for table in Self.large where plan.contains(try Regex("Seq Scan on \(table)\\b")) {
                Issue.record("\(table) is read whole: \(plan)")
            }
        }
    }
}

/// A fleet with a past: tens of thousands of purchases, letters and actions, a few of them open.
private struct History {
    let fleet: TestFleet
    let event: EventID
    let saga: SagaID

    init(_ fleet: TestFleet) async throws {
        self.fleet = fleet
        event = try await fleet.publish()
        saga = try await fleet.buy(event, user: "ada").sagaId
        let owner = fleet.database.owner()
        try await owner.script(Self.sql(saga))
        await owner.close()
    }

    func askEverything() async throws {
        var cursor = ""
        for _ in 0..<2 {
            let page = try await get("/sagas?limit=50\(cursor)")
            cursor = "&cursor=\(try #require(try page.json["nextCursor"] as? String))"
        }
        for state in ["charging", "closing", "completed", "refused", "refunded"] {
            _ = try await get("/sagas?state=\(state)")
        }
        for filter in ["attention=true", "eventId=\(event)", "userId=ada", "userId=nobody", "state=charging\(cursor)"] {
            _ = try await get("/sagas?\(filter)")
        }
        for path in ["/sagas/\(saga)", "/events", "/events?limit=1&cursor=\(event)", "/metrics"] {
            _ = try await get(path)
        }
        for path in [
            "status", "queues", "timers?limit=20", "dead", "dead/payment.commands", "dead/payment.commands?group=g7",
            "actions", "sagas/\(saga)/explain",
        ] {
            _ = try await get("/ops/\(path)")
        }
        let letters = try await get("/ops/dead/payment.commands?limit=5")
        let letter = try #require(try letters.decode(Letters.self).items.first).letter
        _ = try await get("/ops/letters/\(letter)")
        _ = try await get("/ops/dead/payment.commands?cursor=\(letter)")
        let actions = try await get("/ops/actions?limit=1").decode(Actions.self).items
        _ = try await get("/ops/actions/\(try #require(actions.first).action)")
        for wish in [#""group":"g7""#, #""letters":["\#(letter)"]"#, #""limit":5"#] {
            let body = "{\(wish),\"dryRun\":true}"
            #expect(try await fleet.operate("POST", "/dead/payment.commands/replay", body: body).status == 200)
        }
        #expect(try await fleet.operate("POST", "/sagas/\(saga)/redrive").status == 409)
    }

    private struct Letters: Decodable {
        struct Letter: Decodable { let letter: String }
        let items: [Letter]
    }

    private struct Actions: Decodable {
        struct Action: Decodable { let action: String }
        let items: [Action]
    }

    private func get(_ path: String) async throws -> Answer {
        let headers = ["Authorization": "Bearer \(TestFleet.operatorKey)"]
        let answer = try await fleet.call("GET", path, headers: headers)
        #expect(answer.status == 200, "\(path): \(String(decoding: answer.body.prefix(300), as: UTF8.self))")
        return answer
    }

    /// Copies of one purchase under other ids: most ended, some open and not to be woken soon.
    private static func sql(_ saga: SagaID) -> String {
        """
        CREATE FUNCTION pg_temp.id(n int) RETURNS uuid LANGUAGE sql AS $$
            SELECT (lpad(to_hex(1700000000000 + n), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid $$;
        INSERT INTO orchestrator.saga (id, kind, version, step, state, detail, facts, request, outcome, event_id,
            user_id, wake_at, due_at)
        SELECT pg_temp.id(n), kind, version, step,
            CASE WHEN n % 20 = 0 THEN 'charging' ELSE state END,
            CASE WHEN n % 20 = 0 THEN '{"state":"charging"}' ELSE detail END, facts, request,
            CASE WHEN n % 20 <> 0 THEN outcome END, event_id, 'user-' || n % 500,
            CASE WHEN n % 20 = 0 THEN now() + interval '1 day' END, now() + interval '1 day'
        FROM orchestrator.saga, generate_series(1, 40000) n WHERE id = '\(saga)';
        UPDATE orchestrator.saga SET needs_attention = 'look' WHERE outcome IS NULL AND id < pg_temp.id(200);
        INSERT INTO orchestrator.saga_step (saga_id, version, message_id, input_name, input, from_state, to_state,
            detail, step, effects, at)
        SELECT pg_temp.id(n), version, gen_random_uuid(), input_name, input, from_state, to_state, detail, step,
            effects, at
        FROM orchestrator.saga_step, generate_series(1, 15000) n WHERE saga_id = '\(saga)';
        INSERT INTO orchestrator.dead_letter (id, queue, identity, fingerprint, kind, saga_id, reason, attempts,
            properties, body, state, first_seen, ended_at)
        SELECT pg_temp.id(n), CASE WHEN n % 2 = 0 THEN 'payment.commands' ELSE 'expiry.commands' END,
            decode(lpad(to_hex(n), 8, '0'), 'hex'), 'g' || n % 10, 'payment.charge.v1', pg_temp.id(n), 'failed', 5,
            '{"headers":{}}', '{}', CASE WHEN n % 20 < 3 THEN 'waiting' ELSE 'dropped' END, now(),
            CASE WHEN n % 20 < 3 THEN NULL ELSE now() END
        FROM generate_series(1, 20000) n;
        INSERT INTO orchestrator.operator_action (id, operator, action, subject, letters)
        SELECT pg_temp.id(n), 'ada', 'drop', 'payment.commands', 1 FROM generate_series(1, 20000) n;
        INSERT INTO expiry.timer (saga_id, subject, due_at, command_id, status, ended_at)
        SELECT pg_temp.id(n), 'hold', now() + interval '1 day', pg_temp.id(n),
            CASE WHEN n % 20 = 0 THEN 'scheduled' ELSE 'cancelled' END, CASE WHEN n % 20 <> 0 THEN now() END
        FROM generate_series(1, 30000) n;
        INSERT INTO orchestrator.event (id, body, is_stocked)
        SELECT pg_temp.id(n), body, true FROM orchestrator.event, generate_series(1, 20000) n;
        INSERT INTO reservation.tier (event_id, name, capacity, is_seated, stocked)
        SELECT pg_temp.id(n), 'Hall', 100, true, 100 FROM generate_series(0, 199) n;
        INSERT INTO reservation.seat (event_id, tier, name, rank)
        SELECT pg_temp.id(n % 200), 'Hall', 'S-' || n, n FROM generate_series(1, 20000) n;
        INSERT INTO reservation.hold (saga_id, event_id, tier, quantity, status, deadline)
        SELECT pg_temp.id(n), pg_temp.id(n % 200), 'Hall', 1, 'sold', now() FROM generate_series(1, 20000) n;
        INSERT INTO reservation.ticket (id, saga_id, event_id, tier, user_id, status)
        SELECT pg_temp.id(n), pg_temp.id(n), pg_temp.id(n % 200), 'Hall', 'ada', 'valid'
        FROM generate_series(1, 20000) n;
        ANALYZE;
        """
    }
}
