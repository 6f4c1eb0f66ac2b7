import Audit
import Contracts
import FleetInspection
import FleetStorage
import FoundationEssentials
import Postgres
import RabbitMQ
import WireJSON

/// A dead letter that is about to be sent again.
struct ReplayableLetter: Sendable {
    let id: DeadLetterID
    let times: Int
    let publication: Publication
}

extension DeadLetterStore {
    func chosen(_ choice: DeadLetterChoice) async throws -> [ReplayableLetter] {
        let (tail, parameters) = choice.selection
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                "SELECT id, times, properties, body \(tail)", parameters, as: (UUID, Int32, String, Data).self)
        }
        return try rows.map { row in
            let properties = try WireFormat.decode(StoredProperties.self, fromText: row.2).properties
            return ReplayableLetter(
                id: DeadLetterID(row.0), times: Int(row.1),
                publication: Publication(replaying: properties, body: row.3, to: choice.queue))
        }
    }

    /// Whose purchases the letters belong to, and how much money those are about.
    package func impact(of choice: DeadLetterChoice) async throws -> DeadLetterImpact {
        let (tail, parameters) = choice.selection
        let (letters, sagas) = try await pool.withConnection { connection in
            let letters = try await connection.query("SELECT saga_id \(tail)", parameters, as: (UUID?).self)
            let ids = Array(Set(letters.compactMap { $0 }))
            let sagas = try await connection.query(
                """
                SELECT id, request::jsonb -> 'amount' ->> 'currency', (request::jsonb -> 'amount' ->> 'minor')::bigint
                FROM saga WHERE id = ANY($1) ORDER BY id
                """, [ids], as: (UUID, String, Int64).self)
            return (letters.count, sagas)
        }
        let totals = Dictionary(grouping: sagas, by: \.1).mapValues { $0.reduce(0) { $0 + $1.2 } }
        return DeadLetterImpact(
            letters: letters, sagas: sagas.map { SagaID($0.0) },
            amounts: totals.sorted { $0.key < $1.key }.map { Money(currency: $0.key, minor: $0.value) })
    }

    /// Takes replayed letters off the list; those that have come back already are written down as such.
    func markReplayed(_ letters: [ReplayableLetter], by action: ActionID) async throws {
        _ = try await pool.withConnection { connection in
            try await connection.execute(
                """
                WITH marked AS (
                    UPDATE dead_letter d SET action_id = $1,
                        state = CASE WHEN d.times = sent.times THEN 'replayed' ELSE d.state END,
                        ended_at = CASE WHEN d.times = sent.times THEN now() ELSE d.ended_at END
                    FROM unnest($2::uuid[], $3::int[]) AS sent (id, times) WHERE d.id = sent.id
                    RETURNING d.id, d.times <> sent.times AS is_back)
                INSERT INTO dead_letter_return (action_id, letter_id) SELECT $1, id FROM marked WHERE is_back
                ON CONFLICT DO NOTHING
                """, [action.uuid, letters.map(\.id.uuid), letters.map { Int32($0.times) }])
        }
    }

    func drop(_ letters: [DeadLetterID], by action: ActionID) async throws -> [DeadLetterID] {
        try await change(
            """
            UPDATE dead_letter SET state = 'dropped', ended_at = now(), action_id = $1
            WHERE id = ANY($2) AND state = 'waiting' RETURNING id
            """, letters, by: action)
    }

    /// Brings dropped letters back onto the list, with the reason that they had.
    func restore(_ letters: [DeadLetterID], by action: ActionID) async throws -> [DeadLetterID] {
        try await change(
            """
            UPDATE dead_letter SET state = 'waiting', ended_at = NULL, action_id = $1
            WHERE id = ANY($2) AND state = 'dropped' RETURNING id
            """, letters, by: action)
    }

    private func change(
        _ sql: String, _ letters: [DeadLetterID], by action: ActionID
    ) async throws -> [DeadLetterID] {
        try await pool.withConnection { connection in
            try await connection.query(sql, [action.uuid, letters.map(\.uuid)], as: (UUID).self)
        }.map { DeadLetterID($0) }.sorted()
    }
}

extension DeadLetterChoice {
    /// What stands behind the columns of a SELECT, and its parameters.
    fileprivate var selection: (sql: String, parameters: [any PostgresEncodable]) {
        var conditions = Conditions("state = '\(state.rawValue)'")
        conditions.add("queue =", queue)
        conditions.add("fingerprint =", group)
        conditions.addAny("id", letters?.map(\.uuid))
        let last = conditions.parameter(limit)
        return ("FROM dead_letter WHERE \(conditions.text) ORDER BY id LIMIT \(last)", conditions.parameters)
    }

    /// For the audit.
    var subject: String {
        let whole = group.map { "\(queue) group \($0)" } ?? queue
        return letters.map { "\(whole) letters \($0.map(\.description).joined(separator: " "))" } ?? whole
    }
}
