import Contracts
import FoundationEssentials
import Postgres

/// The table `sales_pause` of the orchestrator's schema.
package struct PostgresPauseStore: PauseStore {
    let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    package func pauses() async throws -> [SalesPause] {
        try await pool.withConnection { connection in
            try await connection.query(
                "SELECT event_id, reason, since FROM sales_pause ORDER BY since", as: (UUID?, String, Date).self)
        }.map { SalesPause(eventId: $0.map { EventID($0) }, reason: $1, since: $2) }
    }

    /// Stops selling, of one event or of all; a new reason takes the place of the old one.
    package func pause(_ event: EventID?, because reason: String, by action: ActionID) async throws {
        try await pool.transaction { transaction in
            _ = try await transaction.execute(
                "DELETE FROM sales_pause WHERE event_id IS NOT DISTINCT FROM $1", [event?.uuid])
            _ = try await transaction.execute(
                """
                INSERT INTO sales_pause (event_id, reason, action_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
                """, [event?.uuid, reason, action.uuid])
        }
    }

    package func resume(_ event: EventID?) async throws {
        _ = try await pool.withConnection { connection in
            try await connection.execute(
                "DELETE FROM sales_pause WHERE event_id IS NOT DISTINCT FROM $1", [event?.uuid])
        }
    }
}
