import Contracts
import Engine
import FoundationEssentials
import Postgres

/// The whole fleet in numbers, by its database.
package struct FleetNumbers: Sendable {
    struct Reading: Sendable {
        let at: Date
        let openSagas: [String: Int]
        let oldestOpen: (saga: SagaID, since: Date)?
        let needingAttention: Int
        let heldTickets: Int
        let deadLetters: [String: Int]
        let outbox: Int
        let outboxOldest: Date?
        let undelivered: [String: Int]
    }

    let pool: PostgresPool

    package init(_ pool: PostgresPool) {
        self.pool = pool
    }

    /// Counts what is open; what has ended is not looked at, however much it is.
    func read() async throws -> Reading {
        try await pool.withConnection { connection in
            let states = try await connection.query(
                "SELECT state, count(*) FROM saga WHERE outcome IS NULL GROUP BY state", as: (String, Int).self)
            let oldest = try await connection.query(
                "SELECT id, created_at FROM saga WHERE outcome IS NULL ORDER BY id LIMIT 1", as: (UUID, Date).self)
            let letters = try await connection.query(
                "SELECT queue, count(*) FROM dead_letter WHERE state = 'waiting' GROUP BY queue",
                as: (String, Int).self)
            let undelivered = try await connection.query(
                "SELECT reason, count(*) FROM undelivered_answer GROUP BY reason", as: (String, Int).self)
            let counts = try await connection.query(
                """
                SELECT (SELECT count(*) FROM saga WHERE needs_attention IS NOT NULL),
                    (SELECT coalesce(sum(held), 0) FROM reservation.tier_list)::bigint,
                    (SELECT count(*) FROM outbox), (SELECT message_id FROM outbox ORDER BY message_id LIMIT 1), now()
                """, as: (Int, Int, Int, UUID?, Date).self)
            guard let count = counts.first else { preconditionFailure("a SELECT without FROM gives one row") }
            return Reading(
                at: count.4, openSagas: Dictionary(uniqueKeysWithValues: states),
                oldestOpen: oldest.first.map { (SagaID($0.0), $0.1) }, needingAttention: count.0,
                heldTickets: count.1, deadLetters: Dictionary(uniqueKeysWithValues: letters), outbox: count.2,
                outboxOldest: count.3.map { SagaID($0).createdAt },
                undelivered: Dictionary(uniqueKeysWithValues: undelivered))
        }
    }
}
