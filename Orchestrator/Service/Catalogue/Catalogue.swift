import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres

/// The events on sale; an event never changes once it is published, so what was read may be kept.
package actor Catalogue {
    private let pool: PostgresPool
    private let capacity: Int
    private var known: [EventID: CatalogueEvent] = [:]

    /// Keeps at most `capacity` events in memory.
    package init(_ pool: PostgresPool, capacity: Int = 2_000) {
        self.pool = pool
        self.capacity = capacity
    }

    /// The events of these ids that exist; those not known yet are read in one query.
    package func events(_ ids: Set<EventID>) async throws -> [EventID: CatalogueEvent] {
        let missing = ids.filter { known[$0] == nil }
        if !missing.isEmpty {
            let rows = try await pool.withConnection { connection in
                try await connection.query(
                    "SELECT id, body FROM event WHERE id = ANY($1)", [missing.map(\.uuid)], as: (UUID, JSONB).self)
            }
            if known.count + rows.count > capacity { known.removeAll() }
            for (id, body) in rows {
                let event = try WireFormat.decode(PublishEvent.self, from: body.data)
                known[EventID(id)] = CatalogueEvent(id: EventID(id), event: event)
            }
        }
        return known.filter { ids.contains($0.key) }
    }

    package func event(_ id: EventID) async throws -> CatalogueEvent? {
        if let event = known[id] { return event }
        return try await events([id])[id]
    }

    /// A page of events, newest first, older than `cursor`.
    package func page(_ limit: Int, before cursor: EventID?) async throws -> [CatalogueEvent] {
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                """
                SELECT id, body FROM event WHERE $2::uuid IS NULL OR id < $2 ORDER BY id DESC LIMIT $1
                """, [limit, cursor?.uuid], as: (UUID, JSONB).self)
        }
        return try rows.map { id, body in
            CatalogueEvent(id: EventID(id), event: try WireFormat.decode(PublishEvent.self, from: body.data))
        }
    }
}
