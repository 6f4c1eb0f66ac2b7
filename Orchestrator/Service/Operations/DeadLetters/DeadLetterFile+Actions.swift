import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres
import RabbitMQ

/// A dead letter that is about to be sent again.
struct ReplayableLetter: Sendable {
    let id: DeadLetterID
    let times: Int
    let publication: Publication
}

/// One thing that an operator did.
package struct OperatorAction: Codable, Sendable {
    package let action: ActionID
    package let at: Date
    package let by: String
    package let did: String
    package let subject: String
    package let letters: Int
    package let reason: String?
    /// Of a replay, how many of its letters have failed again.
    package let returned: Int
}

extension DeadLetterFile {
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

    /// Writes down what an operator is about to do, before it is done.
    func record(
        _ action: String, by name: String, on subject: String, letters: Int, because reason: String?
    ) async throws -> ActionID {
        let id = ActionID.fresh()
        _ = try await pool.withConnection { connection in
            try await connection.execute(
                """
                INSERT INTO operator_action (id, operator, action, subject, letters, reason)
                VALUES ($1, $2, $3, $4, $5, $6)
                """, [id.uuid, name, action, subject, Int32(letters), reason])
        }
        return id
    }

    /// Takes replayed letters off the list, but for those that have come back already.
    func markReplayed(_ letters: [ReplayableLetter], by action: ActionID) async throws {
        _ = try await pool.withConnection { connection in
            try await connection.execute(
                """
                UPDATE dead_letter d SET action_id = $1,
                    state = CASE WHEN d.times = sent.times THEN 'replayed' ELSE d.state END
                FROM unnest($2::uuid[], $3::int[]) AS sent (id, times) WHERE d.id = sent.id
                """, [action.uuid, letters.map(\.id.uuid), letters.map { Int32($0.times) }])
        }
    }

    func drop(_ letters: [DeadLetterID], by action: ActionID) async throws -> Int {
        try await pool.withConnection { connection in
            try await connection.execute(
                """
                UPDATE dead_letter SET state = 'dropped', action_id = $1 WHERE id = ANY($2) AND state = 'waiting'
                """, [action.uuid, letters.map(\.uuid)])
        }
    }

    /// The latest actions, newest first, or one of them.
    package func actions(_ id: ActionID?, before: ActionID?, limit: Int) async throws -> [OperatorAction] {
        var conditions = Conditions("true")
        conditions.add("id =", id?.uuid)
        conditions.add("id <", before?.uuid)
        let last = conditions.parameter(limit)
        let sql = """
            SELECT id, at, operator, action, subject, letters, reason,
                (SELECT count(*) FROM dead_letter d WHERE d.action_id = a.id AND d.state = 'waiting')
            FROM operator_action a WHERE \(conditions.text) ORDER BY id DESC LIMIT \(last)
            """
        let parameters = conditions.parameters
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                sql, parameters, as: (UUID, Date, String, String, String, Int32, String?, Int).self)
        }
        return rows.map {
            OperatorAction(
                action: ActionID($0.0), at: $0.1, by: $0.2, did: $0.3, subject: $0.4, letters: Int($0.5),
                reason: $0.6, returned: $0.7)
        }
    }
}

extension DeadLetterChoice {
    /// What stands behind the columns of a SELECT, and its parameters.
    fileprivate var selection: (sql: String, parameters: [any PostgresEncodable]) {
        var conditions = Conditions("state = 'waiting'")
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
