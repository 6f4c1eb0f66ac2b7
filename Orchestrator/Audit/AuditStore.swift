import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Postgres

/// What operators did, in tables of which no row is ever changed: `operator_action`, `operator_result`.
package struct AuditStore: Sendable {
    let pool: PostgresPool

    package init(_ pool: PostgresPool) {
        self.pool = pool
    }

    /// Writes down what an operator is about to do, before it is done.
    func begin(_ action: NewAction, by name: String, from address: String?) async throws -> ActionID {
        let id = ActionID.fresh()
        _ = try await pool.withConnection { connection in
            try await connection.execute(
                """
                INSERT INTO operator_action (id, operator, address, action, subject, letters, reason)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """,
                [
                    id.uuid, name, address, action.word, action.subject, Int32(clamping: action.letters),
                    action.reason,
                ])
        }
        return id
    }

    /// Writes down how it ended; the first word on that stays.
    func end(_ action: ActionID, _ result: String) async throws {
        _ = try await pool.withConnection { connection in
            try await connection.execute(
                "INSERT INTO operator_result (action_id, result) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                [action.uuid, result])
        }
    }

    /// The latest actions, newest first, or one of them.
    package func actions(_ id: ActionID?, before: ActionID?, limit: Int) async throws -> [OperatorAction] {
        var conditions = Conditions("true")
        conditions.add("a.id =", id?.uuid)
        conditions.add("a.id <", before?.uuid)
        let last = conditions.parameter(limit)
        let sql = """
            SELECT a.id, a.at, a.operator, a.address, a.action, a.subject, a.letters, a.reason, r.result,
                (SELECT count(*) FROM dead_letter_return d WHERE d.action_id = a.id)
            FROM operator_action a LEFT JOIN operator_result r ON r.action_id = a.id
            WHERE \(conditions.text) ORDER BY a.id DESC LIMIT \(last)
            """
        let parameters = conditions.parameters
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                sql, parameters,
                as: (UUID, Date, String, String?, String, String, Int32, String?, String?, Int).self)
        }
        return rows.map {
            OperatorAction(
                action: ActionID($0.0), at: $0.1, by: $0.2, from: $0.3, did: $0.4, subject: $0.5,
                letters: Int($0.6), reason: $0.7, result: $0.8, returned: $0.9)
        }
    }
}
