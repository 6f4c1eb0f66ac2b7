import Connections
import Foundation
import Logging
import Postgres

/// The database behind the proxies, with every right.
struct Books: Sendable {
    let place: Place
    let logger: Logger

    func connect() -> PostgresConnection {
        var configuration = PostgresConfiguration(url: place.databaseURL, applicationName: "faults")
        configuration.statementTimeout = .seconds(60)
        configuration.lockTimeout = .seconds(30)
        configuration.idleInTransactionTimeout = .seconds(120)
        configuration.queryDeadline = .seconds(70)
        return PostgresConnection(configuration, logger: logger)
    }

    func with<R: Sendable>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        try await connect().lent(to: body)
    }

    func count(_ sql: String) async throws -> Int {
        try await with { try await $0.query("SELECT count(*) FROM \(sql)", as: Int.self).first ?? 0 }
    }

    func script(_ sql: String) async throws {
        try await with { try await $0.script(sql) }
    }

    /// Holds what `sql` locks for a while, as a careless operator would.
    func hold(_ sql: String, for time: Duration) async throws {
        try await with { connection in
            try await connection.transaction { transaction in
                _ = try await transaction.execute(sql)
                try await Task.sleep(for: time)
            }
        }
    }

    /// What is not at its end yet; empty when the fleet has nothing left to do.
    func unfinished() async throws -> [String] {
        try await with { connection in
            let row = try await connection.query(
                """
                SELECT (SELECT count(*) FROM orchestrator.saga WHERE outcome IS NULL),
                    (SELECT count(*) FROM orchestrator.saga WHERE outcome IS NOT NULL AND wake_at IS NOT NULL),
                    (SELECT count(*) FROM payment.charge WHERE next_check_at IS NOT NULL),
                    (SELECT count(*) FROM orchestrator.outbox),
                    (SELECT count(*) FROM orchestrator.event WHERE NOT is_stocked)
                """, as: (Int, Int, Int, Int, Int).self)
            let (open, untold, charges, outbox, events) = row.first ?? (0, 0, 0, 0, 0)
            let parts = [
                (open, "open sagas"), (untold, "untold outcomes"), (charges, "unfinished charges"),
                (outbox, "messages in the outbox"), (events, "events without stock"),
            ]
            return parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        }
    }

    func fleetConnections() async throws -> Int {
        try await count("pg_stat_activity WHERE application_name LIKE 'turnstile%'")
    }
}
