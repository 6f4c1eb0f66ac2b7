import Contracts
import Crypto
import Foundation
import Logging
import Postgres

/// One forward step of a schema.
package struct Migration: Sendable {
    /// `0001_what`, the file's name.
    package let name: String
    package let sql: String

    package init(name: String, sql: String) {
        self.name = name
        self.sql = sql
    }

    var checksum: String {
        SHA256.hash(data: Data(sql.utf8)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}

/// Brings one owner's schema to its newest form, once, whoever else tries at the same time.
package struct Migrator: Sendable {
    package enum Failure: Error, CustomStringConvertible {
        case changed(String)
        case newer(String)

        package var description: String {
            switch self {
            case .changed(let name): "the migration \(name) was applied in another form; migrations never change"
            case .newer(let name): "the schema has the migration \(name), which this program does not know"
            }
        }
    }

    let connection: PostgresConnection
    let logger: Logger

    package init(_ connection: PostgresConnection, logger: Logger) {
        self.connection = connection
        self.logger = logger
    }

    /// Applies what is missing, each step in a transaction of its own, and gives back the rights that the migrations
    /// gave and somebody took, all under one advisory lock.
    /// - Returns: what was done now, a line for each.
    package func migrate(_ role: FleetRole, with migrations: [Migration]) async throws -> [String] {
        try await connection.script("SELECT pg_advisory_lock(7466737); SET client_min_messages TO warning;")
        do {
            let done = try await mend(role, migrations)
            try await connection.script("SELECT pg_advisory_unlock(7466737)")
            return done
        } catch {
            try await connection.script("SELECT pg_advisory_unlock(7466737)")
            throw error
        }
    }

    private func mend(_ role: FleetRole, _ migrations: [Migration]) async throws -> [String] {
        try await DatabaseRoles(connection: connection).prepare()
        try await connection.script(
            """
            CREATE SCHEMA IF NOT EXISTS \(role.rawValue);
            CREATE TABLE IF NOT EXISTS \(role.rawValue).migration (
                name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
            """)
        let applied = try await applyMissing(role, migrations)
        let privileges = try Privilege.given(by: migrations, in: role.rawValue)
        let restored = try await Privileges(connection).restore(privileges)
        for privilege in restored { logger.info("gave back", metadata: ["privilege": "\(privilege)"]) }
        return applied + restored.map { "gave back \($0)" }
    }

    private func applyMissing(_ role: FleetRole, _ migrations: [Migration]) async throws -> [String] {
        let rows = try await connection.query(
            "SELECT name, checksum FROM \(role.rawValue).migration ORDER BY name", as: (String, String).self)
        let present = Dictionary(uniqueKeysWithValues: rows)
        let known = Set(migrations.map(\.name))
        if let stranger = rows.first(where: { !known.contains($0.0) }) { throw Failure.newer(stranger.0) }
        var applied: [String] = []
        for migration in migrations.sorted(by: { $0.name < $1.name }) {
            if let checksum = present[migration.name] {
                guard checksum == migration.checksum else { throw Failure.changed(migration.name) }
                continue
            }
            try await connection.script(
                """
                BEGIN; SET LOCAL search_path TO \(role.rawValue), public;
                \(Self.withoutRoles(migration.sql))
                INSERT INTO \(role.rawValue).migration (name, checksum)
                VALUES ('\(migration.name)', '\(migration.checksum)'); COMMIT;
                """)
            logger.info("migrated", metadata: ["schema": "\(role.rawValue)", "migration": "\(migration.name)"])
            applied.append(migration.name)
        }
        return applied
    }

    /// The older migrations make roles themselves, which an owner without the right to do so may not even try; all roles
    /// are there before the first migration runs.
    private static func withoutRoles(_ sql: String) -> String {
        sql.replacing(#/CREATE ROLE turnstile_[a-z]+ LOGIN;/#, with: "NULL;")
    }
}
