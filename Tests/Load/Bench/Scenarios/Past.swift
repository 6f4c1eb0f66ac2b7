import Contracts
import Foundation
import Postgres
import TestKit

/// Gives a database a past: sagas that the fleet really carried out, copied many times into earlier times by SQL.
///
/// Every row of every schema is copied along, with ids of their own times, so that the whole past verifies.
struct Past: Sendable {
    let stage: Stage
    let sagas: Int

    /// The tables that hold a purchase's rows, from the schema that owns them.
    private static let tables = [
        "orchestrator.saga", "orchestrator.saga_step", "reservation.hold", "reservation.ticket", "reservation.inbox",
        "payment.charge", "payment.attempt", "payment.simulated_charge", "payment.inbox", "expiry.timer",
        "expiry.inbox", "notification.notification", "notification.attempt", "notification.inbox",
    ]
    private static let perCopy = 20_000

    private var database: PostgresConnection { stage.target.database }

    /// Loads the past unless this database has it already.
    func make() async throws {
        guard try await !Self.isNoted(in: database, sagas: sagas) else { return }
        let template = min(Self.perCopy, max(1, sagas / 10))
        let copies = (sagas + template - 1) / template - 1
        tell("  loading \(sagas) finished sagas: \(template) by the fleet, \(copies) copies of them")
        let began = ContinuousClock.now
        _ = try await Saturate.play(stage, purchases: template, events: 64)
        _ = stage.meter.take()
        _ = try await Verification(site: stage.cleaner.site, cleaner: stage.cleaner).run(on: OldSagas.database)
        try await stage.fleet.stop()
        try await demandDisk(forCopies: copies)
        try await database.script(Self.functions)
        for table in Self.tables { try await database.script("CREATE TABLE bench.\"\(table)\" AS TABLE \(table)") }
        try await copy(copies)
        try await settleCounts(copies)
        tell("  vacuuming")
        try await database.script("VACUUM (ANALYZE)")
        try await database.script("CREATE TABLE bench.past AS SELECT \(sagas)::bigint AS sagas")
        try await stage.cleaner.emptyServers()
        try await stage.fleet.start(Layout(), on: OldSagas.database)
        tell("  the past is loaded (\((ContinuousClock.now - began).text))")
    }

    /// Whether a database has a past of this size, all of it.
    static func isNoted(in database: PostgresConnection, sagas: Int) async throws -> Bool {
        let noted = try await database.query("SELECT to_regclass('bench.past') IS NOT NULL", as: Bool.self).first
        guard noted == true else { return false }
        return try await database.query("SELECT sagas FROM bench.past", as: Int.self).first == sagas
    }

    private func demandDisk(forCopies copies: Int) async throws {
        let bytes = try await stage.target.count("SELECT pg_database_size(current_database())")
        let needed = Double(bytes) * Double(copies) * 1.1
        let folder = stage.cleaner.site.run.appending(path: "data")
        let values = try folder.resourceValues(forKeys: [.volumeAvailableCapacityKey])
        let free = Double(values.volumeAvailableCapacity ?? 0)
        tell("  \(Int(needed / 1e9)) GB of \(Int(free / 1e9)) GB free disk will be used")
        guard needed < free * 0.9 else {
            let most = Int(Double(sagas) * free * 0.9 / needed)
            throw Trouble("the disk has room for about \(most) finished sagas; see --history")
        }
    }

    // MARK: - Copying

    /// A copy lies so many minutes before the one after it; the timestamp is the first 48 bits of every id.
    private static let functions = """
        CREATE SCHEMA bench;
        CREATE OR REPLACE FUNCTION bench.past(id uuid, copy bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
        RETURN (lpad(to_hex(('x' || left(id::text, 8) || substr(id::text, 10, 4))::bit(48)::bigint - copy * 60000),
            12, '0') || substr(id::text, 15))::uuid;
        """

    /// Two tables at a time, for the machine has two cores; the oldest copies first, as they would have come.
    private func copy(_ copies: Int) async throws {
        var columns: [String: [Column]] = [:]
        for table in Self.tables { columns[table] = try await self.columns(of: table) }
        let part = max(1, copies / 20)
        for last in stride(from: copies, to: 0, by: -part) {
            let statements = stride(from: last, to: max(0, last - part), by: -1).map { copy in
                Self.tables.map { statement(for: $0, columns[$0] ?? [], copy) }
            }
            // The journal and what the reservation worker keeps weigh about as much as all the rest.
            async let heavy: Void = run(statements.flatMap { $0[1..<5] })
            async let rest: Void = run(statements.flatMap { $0[..<1] + $0[5...] })
            _ = try await (heavy, rest)
            tell("  \(max(0, last - part)) copies to go")
        }
    }

    private func run(_ statements: [String]) async throws {
        let connection = try stage.cleaner.owner(of: OldSagas.database)
        try await connection.script("SET synchronous_commit = off")
        for statement in statements { try await connection.script(statement) }
        await connection.close()
    }

    private typealias Column = (name: String, type: String)

    private func columns(of table: String) async throws -> [Column] {
        let columns = try await database.query(
            """
            SELECT attname::text, format_type(atttypid, NULL) FROM pg_attribute
            WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
            ORDER BY attnum
            """, [table], as: (String, String).self)
        guard !columns.isEmpty else { throw Trouble("there is no table \(table)") }
        return columns.map { ($0, $1) }
    }

    /// Ids and times move into the past, what must differ between copies gets the copy's number, the rest stays.
    private func statement(for table: String, _ columns: [Column], _ copy: Int) -> String {
        let values = columns.map { name, type in
            switch (name, type) {
            case ("event_id", _): name
            case ("idempotency_key", _): "bench.past(\(name)::uuid, \(copy))::text"
            case ("user_id", _), ("start_key", _): "\(name) || 'h\(copy)'"
            case (_, "uuid"): "bench.past(\(name), \(copy))"
            case (_, "timestamp with time zone"): "\(name) - \(copy) * interval '1 minute'"
            default: name
            }
        }
        return """
            INSERT INTO \(table) (\(columns.map(\.name).joined(separator: ", ")))
            SELECT \(values.joined(separator: ", ")) FROM bench."\(table)"
            """
    }

    /// The tiers have sold what their copies say.
    private func settleCounts(_ copies: Int) async throws {
        _ = try await database.execute(
            "UPDATE reservation.tier SET sold = sold * $1::int, version = version + 1", [copies + 1])
    }
}
