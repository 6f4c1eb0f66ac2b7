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

    /// Applies what is missing, each step in a transaction of its own, under one advisory lock.
    /// - Returns: the names of the migrations applied now.
    package func migrate(_ role: FleetRole, with migrations: [Migration]) async throws -> [String] {
        try await connection.script(
            """
            SELECT pg_advisory_lock(7466737); SET client_min_messages TO warning;
            \(Self.roleStatement(role));
            CREATE SCHEMA IF NOT EXISTS \(role.rawValue);
            CREATE TABLE IF NOT EXISTS \(role.rawValue).migration (
                name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
            """)
        do {
            let applied = try await applyMissing(role, migrations)
            try await connection.script("SELECT pg_advisory_unlock(7466737)")
            return applied
        } catch {
            try await connection.script("SELECT pg_advisory_unlock(7466737)")
            throw error
        }
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
                \(migration.sql)
                INSERT INTO \(role.rawValue).migration (name, checksum)
                VALUES ('\(migration.name)', '\(migration.checksum)'); COMMIT;
                """)
            logger.info("migrated", metadata: ["schema": "\(role.rawValue)", "migration": "\(migration.name)"])
            applied.append(migration.name)
        }
        return applied
    }

    /// Two databases of one server share their roles, so creating one may lose a race.
    private static func roleStatement(_ role: FleetRole) -> String {
        """
        DO $$ BEGIN
            CREATE ROLE \(role.databaseRole) LOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$
        """
    }
}
