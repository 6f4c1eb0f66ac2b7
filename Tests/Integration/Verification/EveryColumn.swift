import Foundation
import OrchestratorService
import Postgres
import TestKit
import Testing
import Verification

/// One column of one table, and what changing it by hand in one row says.
struct Column: Sendable, Hashable {
    let schema: String
    let table: String
    let name: String
    let type: String

    var place: String { "\(schema).\(table).\(name)" }
    private var kin: String { "*.\(table).\(name)" }
    private var whole: String { "*.\(table).*" }

    /// Why a verification need not see a change of it; nil where it must.
    var excuse: String? {
        Unseen.columns[place] ?? Unseen.columns[kin] ?? Unseen.columns["\(schema).\(table).*"] ?? Unseen.columns[whole]
    }
}

/// Changes one column at a time in the database of a fleet at rest, and asks whether a verification sees it.
struct ColumnProbe {
    enum Sight: Equatable {
        /// The table is empty.
        case nothingThere
        /// Every change was refused by the database or found by the verification.
        case seen
        /// These changes were not.
        case unseen([String])
    }

    let owner: PostgresConnection
    let verify: () async throws -> VerificationReport

    /// Every column of every table of the fleet, but those that the database computes.
    func columns() async throws -> [Column] {
        try await owner.query(
            """
            SELECT c.table_schema::text, c.table_name::text, c.column_name::text,
                format_type(a.atttypid, a.atttypmod)
            FROM information_schema.columns c
            JOIN information_schema.tables t USING (table_schema, table_name)
            JOIN pg_attribute a ON a.attname = c.column_name
                AND a.attrelid = format('%I.%I', c.table_schema, c.table_name)::regclass
            WHERE t.table_type = 'BASE TABLE' AND c.is_generated = 'NEVER'
                AND c.table_schema NOT IN ('pg_catalog', 'information_schema', 'public')
            ORDER BY c.table_schema, c.table_name, c.ordinal_position
            """, as: (String, String, String, String).self
        ).map { Column(schema: $0, table: $1, name: $2, type: $3) }
    }

    func look(at column: Column) async throws -> Sight {
        let table = "\(column.schema).\(column.table)"
        guard try await row(of: table) != nil else { return .nothingThere }
        var unseen: [String] = []
        for value in try await values(for: column) {
            guard let place = try await row(of: table) else { return .nothingThere }
            if try await !isSeen(column, value, in: table, at: place) { unseen.append(value) }
        }
        return unseen.isEmpty ? .seen : .unseen(unseen)
    }

    private func isSeen(_ column: Column, _ value: String, in table: String, at place: String) async throws -> Bool {
        let old = try await owner.query(
            "SELECT quote_nullable(\(column.name)::text) FROM \(table) WHERE ctid = '\(place)'", as: (String).self)[0]
        let changed: [String]
        do {
            changed = try await owner.query(
                """
                UPDATE \(table) SET \(column.name) = \(value)
                WHERE ctid = '\(place)' AND \(column.name) IS DISTINCT FROM \(value) RETURNING ctid::text
                """, as: (String).self)
        } catch {
            return true
        }
        guard let moved = changed.first else { return true }
        let isSeen: Bool
        do {
            isSeen = try await !verify().isSound
        } catch {
            Issue.record("a verification died of \(column.place) = \(value): \(error)")
            isSeen = false
        }
        try await owner.script(
            "UPDATE \(table) SET \(column.name) = \(old)::\(column.type) WHERE ctid = '\(moved)'")
        return isSeen
    }

    /// The row that says most: of a completed purchase of named seats, else any.
    private func row(of table: String) async throws -> String? {
        let seated = "(SELECT saga_id FROM reservation.seat WHERE status = 'sold' LIMIT 1)"
        let telling = [
            "orchestrator.saga": "id = \(seated)", "payment.simulated_charge": "idempotency_key = \(seated)::text",
            "reservation.tier": "name = 'Hall'", "orchestrator.event": "body::text LIKE '%Hall%A-1%'",
            "recommendation.place": "event_id = (SELECT id FROM orchestrator.event WHERE body::text LIKE '%A-1%')",
            "expiry.timer": "due_at IS NOT NULL", "orchestrator.dead_letter": "true",
            "orchestrator.saga_step": "saga_id = \(seated) AND version = 2", "reservation.seat": "saga_id = \(seated)",
        ]
        let hasSaga = ["hold", "ticket", "charge", "attempt", "notification"].contains {
            table.hasSuffix(".\($0)")
        }
        let condition = telling[table] ?? (hasSaga ? "saga_id = \(seated)" : "true")
        return try await owner.query(
            "SELECT ctid::text FROM \(table) WHERE \(condition) LIMIT 1", as: (String).self
        ).first
    }

    /// Other values of the column's type, and each word that a constraint of the table names.
    private func values(for column: Column) async throws -> [String] {
        let name = column.name
        switch column.type {
        case "uuid": return ["gen_random_uuid()"]
        case "text": return ["coalesce(\(name), '') || 'x'"] + (try await words(for: column))
        case "integer", "bigint": return ["coalesce(\(name), 0) + 1"]
        case "double precision": return ["\(name) + 1"]
        case "boolean": return ["NOT \(name)"]
        case "timestamp with time zone": return ["coalesce(\(name), now()) + interval '1 day'"]
        case "bytea": return [#"coalesce(\#(name), '') || '\x00'"#]
        case "text[]": return ["array_append(\(name), 'x')"]
        case "jsonb": return [#"\#(name) || '{"tiers":[]}'"#, #"\#(name) || '{"name":"Another"}'"#, "'{}'"]
        default: throw UnknownType(column: column)
        }
    }

    private func words(for column: Column) async throws -> [String] {
        let definitions = try await owner.query(
            """
            SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey) AND a.attname = $2
            WHERE c.contype = 'c' AND c.conrelid = $1::text::regclass
            """, ["\(column.schema).\(column.table)", column.name], as: (String).self)
        return Set(definitions.flatMap { $0.matches(of: #/'([a-z-]+)'::text/#).map { "'\($0.1)'" } }).sorted()
    }
}

struct UnknownType: Error { let column: Column }
