import Contracts
import Foundation
import Postgres
import TestKit

/// A million live timers, some of which come due at a steady rate, and then a great many in the same second.
///
/// Whose timer comes due has reserved and never pays; the rest of the timers belong to nobody and are taken away
/// before the verification.
enum Timers {
    /// The steady timers a second.
    private static let steadyRate = 250
    private static let lagBound = 1_000.0
    /// Purchases a second by others meanwhile.
    private static let bystanders = 50.0
    private static let secondsBefore = 15

    static func trials(_ sizes: Sizes) -> [Trial] {
        [
            Trial(scenario: "expiry") {
                try await play($0, live: sizes.liveTimers, together: sizes.dueTogether)
            }
        ]
    }

    private static func play(_ stage: Stage, live: Int, together: Int) async throws -> Findings {
        let steady = min(together / 10, steadyRate * 20)
        let first = SagaID.make()
        try await reserve(stage, together + steady)
        try await addTimersOfNobody(stage, live - together - steady)
        var findings = Findings(figures: ["live timers": Double(live), "due in one second": Double(together)])

        let began = try await ring(stage, steady, spreadOver: Double(steady) / Double(steadyRate))
        try await stage.measure { try await untilRung(stage, steady, within: .seconds(120)) }
        let calm = try await lags(stage, since: began)
        findings.latencies["lag at \(steadyRate) a second"] = calm
        if calm.p99 >= lagBound { findings.complaints.append("p99 of the lag is \(format(calm.p99)) ms") }
        _ = stage.meter.take()

        try await burst(stage, together, first, &findings)
        try await stage.target.database.script("DELETE FROM expiry.timer WHERE subject = 'nobody'")
        try await stage.target.untilTold(together + steady, since: first, within: .seconds(600))
        let refused = try await stage.target.count(
            "SELECT count(*) FROM orchestrator.saga WHERE id >= $1 AND outcome = 'refused'", [first.uuid])
        if refused != together + steady {
            findings.complaints.append("\(refused) of \(together + steady) purchases that nobody paid for were refused")
        }
        return findings
    }

    /// All at once, while others buy: how late the timers ring, when the last seat is back, and what buyers notice.
    private static func burst(_ stage: Stage, _ count: Int, _ first: SagaID, _ findings: inout Findings) async throws {
        let buyers = Buyers(try await stage.target.publishEvents(8))
        let seconds = secondsBefore * 2 + count / 2_000
        let crowd = SteadyStream(
            target: stage.target, buyers: buyers, rate: bystanders, count: Int(bystanders) * seconds)
        let (timings, began, unwound) = try await stage.measure {
            async let timings = crowd.run()
            let due = try await ring(stage, count, after: Double(secondsBefore), spreadOver: 1)
            try await untilRung(stage, count, within: .seconds(600))
            let unwound = try await untilUnwound(stage, first)
            return (try await timings, due, unwound)
        }
        findings.latencies["lag of the burst"] = try await lags(stage, since: began)
        findings.figures["seconds until all seats were back"] = unwound - began
        let quiet = timings.filter { $0.due < .seconds(secondsBefore - 1) && $0.due > .seconds(2) }.map(\.took)
        let loud = timings.filter {
            $0.due >= .seconds(secondsBefore) && $0.due.inSeconds < Double(secondsBefore) + (unwound - began)
        }
        findings.latencies["others before: start to completed"] = Percentiles(quiet)
        findings.latencies["others meanwhile: start to completed"] = Percentiles(loud.map(\.took))
    }

    /// Purchases that hold seats and are never paid for.
    private static func reserve(_ stage: Stage, _ count: Int) async throws {
        let buyers = Buyers(try await stage.target.publishEvents(64))
        let wishes = (0..<count).map { number in
            var wish = buyers[number]
            wish.method = "sim_never"
            wish.holdSeconds = Limits.holdSeconds.upperBound
            return wish
        }
        _ = try await Rush(stage.target, wishes).publish()
        try await until("\(count) timers are scheduled", within: .seconds(600)) {
            try await stage.target.count("SELECT count(*) FROM expiry.timer WHERE status = 'scheduled'") == count
        }
    }

    private static func addTimersOfNobody(_ stage: Stage, _ count: Int) async throws {
        guard count > 0 else { return }
        _ = try await stage.target.database.execute(
            """
            INSERT INTO expiry.timer (saga_id, subject, due_at, step, command_id, status)
            SELECT id, 'nobody', now() + (1 + random() * 30) * interval '1 day', 2, id, 'scheduled'
            FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, $1)) AS made
            """, [count])
        try await stage.target.database.script("VACUUM ANALYZE expiry.timer")
    }

    /// Lets so many of the waiting purchases' timers come due, evenly over some seconds; the first moment, as Unix time.
    private static func ring(
        _ stage: Stage, _ count: Int, after pause: Double = 2, spreadOver seconds: Double
    ) async throws -> Double {
        let rows = try await stage.target.database.query(
            """
            WITH start AS (SELECT clock_timestamp() + make_interval(secs => $2::float8) AS at),
            chosen AS (
                SELECT saga_id, subject, row_number() OVER () - 1 AS number FROM expiry.timer
                WHERE status = 'scheduled' AND subject <> 'nobody' LIMIT $1::bigint),
            moved AS (
                UPDATE expiry.timer SET due_at = at + make_interval(secs => $3::float8 * number / $1::bigint)
                FROM chosen, start
                WHERE timer.saga_id = chosen.saga_id AND timer.subject = chosen.subject RETURNING 1)
            SELECT extract(epoch FROM at)::float8, (SELECT count(*) FROM moved) FROM start
            """, [count, pause, seconds], as: (Double, Int).self)
        guard let (began, moved) = rows.first, moved == count else { throw Trouble("not \(count) timers wait") }
        return began
    }

    private static func untilRung(_ stage: Stage, _ count: Int, within limit: Duration) async throws {
        try await until("\(count) timers have rung", within: limit, every: .milliseconds(500)) {
            try await stage.target.count(
                """
                SELECT count(*) FROM expiry.timer
                WHERE status = 'scheduled' AND subject <> 'nobody' AND due_at < now() + interval '60 seconds'
                """) == 0
        }
    }

    /// When no purchase of these was under way any more, as Unix time.
    private static func untilUnwound(_ stage: Stage, _ first: SagaID) async throws -> Double {
        try await until("all unpaid seats are back", within: .seconds(600), every: .milliseconds(500)) {
            try await stage.target.count(
                "SELECT count(*) FROM reservation.hold WHERE status = 'held' AND created_at < now() - interval '20 seconds'"
            ) == 0
        }
        return try await stage.target.database.query(
            "SELECT extract(epoch FROM clock_timestamp())::float8", as: Double.self
        ).first ?? 0
    }

    /// How much later than due the timers since a moment were marked as rung, which is after the news was confirmed.
    private static func lags(_ stage: Stage, since began: Double) async throws -> Percentiles {
        let lags = try await stage.target.database.query(
            """
            SELECT extract(epoch FROM ended_at - due_at)::float8 FROM expiry.timer
            WHERE status = 'fired' AND due_at >= to_timestamp($1)
            """, [began], as: Double.self)
        return Percentiles(lags.map { .seconds($0) })
    }
}
