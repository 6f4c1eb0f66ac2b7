import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres

/// Sends an event's stock again until the reservation worker shows all of it, so that no lost message leaves an event
/// on sale with nothing to sell.
package struct StockKeeper: Sweep {
    package let name = "stock keeper"
    static let batch = 20

    let pool: PostgresPool
    let bell: Bell

    package init(_ pool: PostgresPool, bell: Bell) {
        self.pool = pool
        self.bell = bell
    }

    package func sweep() async throws -> Int {
        let missing = try await pool.transaction { transaction in
            let rows = try await transaction.query(
                """
                SELECT id, body FROM event WHERE NOT is_stocked AND created_at < now() - interval '2 seconds'
                ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
                """, [Self.batch], as: (UUID, JSONB).self)
            guard !rows.isEmpty else { return 0 }
            let stocked = try await stocked(among: rows.map(\.0), in: transaction)
            _ = try await transaction.execute(
                "UPDATE event SET is_stocked = true WHERE id = ANY($1)", [Array(stocked)])
            let missing = rows.filter { !stocked.contains($0.0) }
            for (id, body) in missing {
                let event = try WireFormat.decode(PublishEvent.self, from: body.data)
                let commands = try StockParts.commands(for: event, id: EventID(id), traceparent: nil)
                try await Outbox.add(commands, in: transaction)
            }
            return missing.count
        }
        if missing > 0 { bell.ring() }
        return missing
    }

    /// Those events of which the reservation worker shows every tier and every seat.
    private func stocked(among events: [UUID], in transaction: Transaction) async throws -> Set<UUID> {
        let rows = try await transaction.query(
            """
            SELECT e.id FROM event e
            WHERE e.id = ANY($1)
                AND jsonb_array_length(e.body -> 'tiers')
                    = (SELECT count(*) FROM reservation.availability a WHERE a.event_id = e.id)
                AND coalesce((SELECT sum(jsonb_array_length(t -> 'seats'))
                              FROM jsonb_array_elements(e.body -> 'tiers') t WHERE t ? 'seats'), 0)
                    = (SELECT count(*) FROM reservation.seat_map s WHERE s.event_id = e.id)
            """, [events], as: (UUID).self)
        return Set(rows)
    }
}
