import Contracts
import Foundation
import Glibc
import Postgres
import TestKit

/// What a database does to those who rely on it.
extension Fault {
    static let database: [Fault] = crashes + conflicts + changes

    private static let fleetBackends = "pg_stat_activity WHERE application_name LIKE 'turnstile%'"

    private static let crashes = [
        Fault("E1", "the database crashes and recovers", how: "SIGQUIT to PostgreSQL (immediate shutdown), start") {
            stage in
            try await stage.servers.end(.postgres, SIGQUIT)
            try await stage.pause(.seconds(2))
            let seen = await stage.readiness()
            try await stage.servers.up()
            return "without it: \(seen)"
        },
        Fault("E2", "the database is restarted", how: "SIGINT to PostgreSQL (fast shutdown), start, twice") { stage in
            for _ in 1...2 {
                try await stage.servers.end(.postgres, SIGINT)
                try await stage.servers.up()
                try await stage.pause(.seconds(2))
            }
            return "every session ended with 57P01, twice"
        },
        Fault(
            "E4", "sessions are ended in the middle of work",
            how: "pg_terminate_backend on five sessions of the fleet at random, 40 times"
        ) {
            stage in
            try await stage.books.with { connection in
                for _ in 1...40 {
                    _ = try await connection.execute(
                        """
                        SELECT pg_terminate_backend(pid) FROM (
                            SELECT pid FROM \(fleetBackends) ORDER BY (state <> 'idle') DESC, random() LIMIT 5) AS picked
                        """)
                    try await stage.pause(.milliseconds(200))
                }
            }
            return "200 sessions ended"
        },
        Fault(
            "E10", "the database has no connection left",
            how: "every free connection taken, the fleet's sessions ended, 8 s"
        ) {
            stage in
            let greedy = try await stage.books.takeAllConnections(ending: fleetBackends)
            try await stage.pause(.seconds(8))
            let seen = await stage.readiness()
            for connection in greedy { await connection.close() }
            return "\(greedy.count) connections were taken: \(seen)"
        },
        Fault("E12", "sessions of the HTTP pool hang", how: "SIGSTOP to their backends, 12 s, SIGCONT") { stage in
            let pids = try await stage.books.with {
                try await $0.query(
                    "SELECT pid FROM pg_stat_activity WHERE application_name = 'turnstile orchestrator: http'",
                    as: (Int32).self)
            }
            for pid in pids { kill(pid, SIGSTOP) }
            let url = "\(await stage.fleet.orchestratorURLs[0])/sagas/\(SagaID.make())"
            var slowest = Duration.zero
            var unavailable = 0
            for _ in 1...40 {
                let began = ContinuousClock.now
                let status = try await stage.web.call("GET", url, within: .seconds(15)).status
                slowest = max(slowest, ContinuousClock.now - began)
                if status == 503 { unavailable += 1 }
                try await stage.pause(.milliseconds(50))
                if slowest > .seconds(12) { break }
            }
            for pid in pids { kill(pid, SIGCONT) }
            return
                "\(pids.count) sessions hung; \(unavailable) requests got 503, the slowest answer took \(slowest.text)"
        },
    ]

    private static let conflicts = [
        Fault("E5", "deadlocks", how: "two tiers locked against the fleet's order, eight times") { stage in
            for _ in 1...8 {
                do {
                    try await stage.books.with { connection in
                        try await connection.transaction { transaction in
                            for event in [stage.halls.floor, stage.halls.seated].sorted(by: >) {
                                _ = try await transaction.execute(
                                    "SELECT FROM reservation.tier WHERE event_id = '\(event)' FOR UPDATE")
                                try await stage.pause(.milliseconds(600))
                            }
                        }
                    }
                } catch let error as PostgresError where error.isTransient {
                    continue
                }
            }
            let deadlocks = try await stage.books.with {
                try await $0.query(
                    "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()", as: Int.self
                ).first ?? 0
            }
            return "the server counts \(deadlocks) deadlocks"
        },
        Fault(
            "E6", "serialization failures",
            how: "default_transaction_isolation = serializable for all new sessions, 10 s, three of each process"
        ) {
            stage in
            try await stage.fleet.up(3)
            let end = "SELECT pg_terminate_backend(pid) FROM \(fleetBackends)"
            try await stage.books.script("ALTER DATABASE turnstile SET default_transaction_isolation = 'serializable'")
            try await stage.books.script(end)
            try await stage.pause(.seconds(10))
            try await stage.books.script("ALTER DATABASE turnstile RESET default_transaction_isolation")
            try await stage.books.script(end)
            return "batches were repeated, nothing was buried: "
                + "\(try await stage.broker.depth(of: "reservation.commands.dead")) dead letters"
        },
        Fault("E7", "somebody locks a tier and goes for a coffee", how: "SELECT … FOR UPDATE on a tier, 15 s") {
            stage in
            try await stage.books.hold(
                "SELECT FROM reservation.tier WHERE event_id = '\(stage.halls.floor)' FOR UPDATE", for: .seconds(15))
            let dead = try await stage.broker.depth(of: "reservation.commands.dead")
            guard dead == 0 else { throw Trouble("\(dead) commands were buried for a lock") }
            return "the queue waited, nothing was buried"
        },
        Fault("E15", "all that is free is locked", how: "a tier of 50 places locked for 4 s while 40 buyers ask") {
            stage in
            let event = try await stage.buyers.publish(
                #"{"name":"Floor","price":{"currency":"EUR","minor":100},"capacity":50}"#)
            async let lock: Void = stage.books.hold(
                "SELECT FROM reservation.tier WHERE event_id = '\(event)' FOR UPDATE", for: .seconds(4))
            let outcomes = try await stage.rush(40, on: event)
            try await lock
            guard outcomes["completed"] == 40 else { throw Trouble("40 buyers for 50 places: \(outcomes)") }
            return "40 of 40 buyers got their tickets"
        },
        Fault("E16", "two hundred buyers for the last place", how: "200 parallel starts on an event with one place") {
            stage in
            let event = try await stage.buyers.publish(
                #"{"name":"Floor","price":{"currency":"EUR","minor":100},"capacity":1}"#)
            let outcomes = try await stage.rush(200, on: event)
            guard outcomes["completed"] == 1 else { throw Trouble("one place and 200 buyers: \(outcomes)") }
            return "one got it, \(200 - 1) did not"
        },
    ]

    private static let changes = [
        Fault(
            "E13", "migrations meet each other, are interrupted, or never ran",
            how: "four migrators at once, one killed, on an empty database; a worker on an unmigrated one"
        ) {
            stage in
            let name = "fresh_\(UInt32.random(in: 0...UInt32.max))"
            try await stage.books.script("CREATE DATABASE \(name)")
            guard var url = URLComponents(string: stage.place.databaseURL) else { throw Trouble("no database URL") }
            url.path = "/\(name)"
            let environment = ["DATABASE_URL": url.string ?? ""]
            let turnstile = stage.place.program("turnstile").path
            var settings = try await stage.fleet.settings(of: .reservation)
            settings["DATABASE_URL"] = url.string
            settings["ADMIN_PORT"] = "0"
            let early = try Member(.reservation, number: 9, port: 0, place: stage.place, settings: settings)
            try await stage.pause(.seconds(3))
            let survived = early.status == nil
            try early.signal(SIGKILL)
            _ = try await Command.attempt(
                "/usr/bin/timeout", ["--signal=KILL", "0.2", turnstile, "migrate"], environment: environment)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...4 {
                    group.addTask { try await Command.run(turnstile, ["migrate"], environment: environment) }
                }
                try await group.waitForAll()
            }
            try await stage.books.script("DROP DATABASE \(name) WITH (FORCE)")
            return "four migrators after a killed one all succeeded; a worker without its schema "
                + (survived ? "waited and said that it was not ready" : "ended with a clear line")
        },
        Fault("E20", "tables change under prepared statements", how: "ALTER TABLE on the hottest tables, six times") {
            stage in
            for _ in 1...3 {
                try await stage.books.script(
                    """
                    ALTER TABLE orchestrator.saga ALTER COLUMN needs_attention TYPE varchar(900);
                    ALTER TABLE expiry.timer ALTER COLUMN traceparent TYPE varchar(100)
                    """)
                try await stage.pause(.seconds(1))
                try await stage.books.script(
                    """
                    ALTER TABLE orchestrator.saga ALTER COLUMN needs_attention TYPE text;
                    ALTER TABLE expiry.timer ALTER COLUMN traceparent TYPE text
                    """)
                try await stage.pause(.seconds(1))
            }
            return "stale plans were prepared again"
        },
    ]
}

extension Books {
    /// Ends the fleet's sessions and takes every connection there is, until none is left.
    fileprivate func takeAllConnections(ending fleet: String) async throws -> [PostgresConnection] {
        let first = connect()
        try await first.open()
        var taken = [first]
        var refusals = 0
        while refusals < 3, taken.count < 400 {
            if taken.count % 10 == 0 { _ = try await first.execute("SELECT pg_terminate_backend(pid) FROM \(fleet)") }
            let connection = connect()
            do {
                try await connection.open()
                taken.append(connection)
            } catch {
                refusals += 1
            }
        }
        _ = try await first.execute("SELECT pg_terminate_backend(pid) FROM \(fleet)")
        for _ in 1...40 {
            let connection = connect()
            do {
                try await connection.open()
                taken.append(connection)
            } catch {
                await connection.close()
            }
        }
        return taken
    }
}

extension Stage {
    /// So many buyers at once, each until there is an outcome; how many came to which.
    func rush(_ count: Int, on event: EventID, _ more: String = "") async throws -> [String: Int] {
        let url = await fleet.orchestratorURLs[0]
        let outcomes = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<count {
                group.addTask {
                    let body = #"{"userId":"rush-\#(number)-\#(event)","eventId":"\#(event)","quantity":1\#(more)}"#
                    for _ in 1...60 {
                        let answer = try await web.call(
                            "POST", "\(url)/saga/start", body: Data(body.utf8),
                            headers: ["Idempotency-Key": "rush-\(number)-\(event)", "Prefer": "wait=20"],
                            within: .seconds(40))
                        if answer.status == 409 { return "refused" }
                        if answer.status == 200 { return answer.text("outcome") ?? "none" }
                        try await pause(.milliseconds(200))
                    }
                    return "none"
                }
            }
            return try await group.reduce(into: [String: Int]()) { $0[$1, default: 0] += 1 }
        }
        return outcomes
    }
}
