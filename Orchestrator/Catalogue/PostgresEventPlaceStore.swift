import Contracts
import FoundationEssentials
import Postgres
import WireJSON

/// The column `event.places_due_at`, and the places that the recommendation worker publishes.
package struct PostgresEventPlaceStore: EventPlaceStore {
    let pool: PostgresPool

    package init(_ pool: PostgresPool) {
        self.pool = pool
    }

    package func retell(
        _ limit: Int, with news: @Sendable (CatalogueEvent) throws -> OutgoingMessage
    ) async throws -> (looked: Int, told: Int) {
        try await pool.transaction { transaction in
            let events = try await transaction.query(
                """
                SELECT id FROM event WHERE places_due_at <= now()
                ORDER BY places_due_at LIMIT $1 FOR UPDATE SKIP LOCKED
                """, [limit], as: (UUID).self)
            guard !events.isEmpty else { return (0, 0) }
            let rows = try await transaction.query(
                "SELECT event_id FROM recommendation.place_list WHERE event_id = ANY($1)", [events], as: (UUID).self)
            let known = Set(rows)
            let missing = events.filter { !known.contains($0) }
            _ = try await transaction.execute(
                """
                UPDATE event SET places_due_at = CASE WHEN id = ANY($2) THEN now() + least(
                    greatest(now() - created_at, interval '10 seconds'), interval '1 hour') END
                WHERE id = ANY($1)
                """, [events, missing])
            guard !missing.isEmpty else { return (events.count, 0) }
            // What is on sale does not matter here, and may be long.
            let untold = try await transaction.query(
                #"SELECT id, body - 'tiers' || '{"tiers": []}' FROM event WHERE id = ANY($1) ORDER BY id"#, [missing],
                as: (UUID, JSONB).self)
            let messages = try untold.map { row in
                try news(
                    CatalogueEvent(
                        id: EventID(row.0), event: try WireFormat.decode(PublishEvent.self, from: row.1.data)))
            }
            try await PostgresOutbox.add(messages, in: transaction)
            return (events.count, messages.count)
        }
    }
}
