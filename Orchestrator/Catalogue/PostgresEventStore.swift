import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Postgres
import WireJSON

/// The tables `event` and `outbox` of the orchestrator's schema.
package struct PostgresEventStore: EventStore {
    let pool: PostgresPool

    package init(_ pool: PostgresPool) {
        self.pool = pool
    }

    package func events(_ ids: [EventID]) async throws -> [CatalogueEvent] {
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                "SELECT id, body FROM event WHERE id = ANY($1)", [ids.map(\.uuid)], as: (UUID, JSONB).self)
        }
        return try rows.map { CatalogueEvent(id: EventID($0.0), event: try Self.event($0.1)) }
    }

    package func exists(_ id: EventID) async throws -> Bool {
        try await pool.withConnection { connection in
            try await connection.query("SELECT 1 FROM event WHERE id = $1", [id.uuid], as: (Int32).self)
        }.isEmpty == false
    }

    package func document(of id: EventID) async throws -> String? {
        try await pool.withConnection { connection in
            try await connection.query(
                "SELECT (jsonb_build_object('eventId', id) || body)::text FROM event WHERE id = $1", [id.uuid],
                as: (String).self)
        }.first
    }

    package func page(_ limit: Int, before cursor: EventID?) async throws -> [EventSummary] {
        var conditions = Conditions("true")
        conditions.add("id <", cursor?.uuid)
        let last = conditions.parameter(limit)
        let sql = "SELECT id, card FROM event WHERE \(conditions.text) ORDER BY id DESC LIMIT \(last)"
        let parameters = conditions.parameters
        let rows = try await pool.withConnection { connection in
            try await connection.query(sql, parameters, as: (UUID, JSONB).self)
        }
        return try rows.map {
            EventSummary(EventID($0.0), try WireFormat.decode(EventSummary.Card.self, from: $0.1.data))
        }
    }

    package func add(_ event: NewEvent, _ messages: [OutgoingMessage]) async throws -> EventPublishing.Result {
        try await pool.transaction { transaction in
            if let request = event.request,
                let earlier = try await RequestTable.add([request], in: transaction).earlier[request.exactKey]
            {
                return EventPublishing.Result(earlier, for: request)
            }
            _ = try await transaction.execute(
                "INSERT INTO event (id, body, start_key, fingerprint) VALUES ($1, $2, $3, $4)",
                [event.id.uuid, JSONB(try WireFormat.encode(event.event)), event.key, event.fingerprint])
            try await PostgresOutbox.add(messages, in: transaction)
            return .published(event.id)
        }
    }

    package func reject(_ request: RequestRecord) async throws -> EventPublishing.Result {
        EventPublishing.Result(try await PostgresRequestStore(pool).take([request])[0], for: request)
    }

    package func restock(
        _ limit: Int, with commands: @Sendable (EventID, PublishEvent) throws -> [OutgoingMessage]
    ) async throws -> Int {
        try await pool.transaction { transaction in
            let rows = try await transaction.query(
                """
                SELECT id, body FROM event WHERE NOT is_stocked AND created_at < now() - interval '2 seconds'
                ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
                """, [limit], as: (UUID, JSONB).self)
            guard !rows.isEmpty else { return 0 }
            let stocked = try await stocked(among: rows.map(\.0), in: transaction)
            _ = try await transaction.execute(
                "UPDATE event SET is_stocked = true WHERE id = ANY($1)", [Array(stocked)])
            let missing = rows.filter { !stocked.contains($0.0) }
            for row in missing {
                try await PostgresOutbox.add(try commands(EventID(row.0), try Self.event(row.1)), in: transaction)
            }
            return missing.count
        }
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

    private static func event(_ body: JSONB) throws -> PublishEvent {
        try WireFormat.decode(PublishEvent.self, from: body.data)
    }
}

/// The table `outbox` of the orchestrator's schema.
package struct PostgresOutbox: Outbox {
    let pool: PostgresPool

    package init(_ pool: PostgresPool) {
        self.pool = pool
    }

    static func add(_ messages: [OutgoingMessage], in transaction: Transaction) async throws {
        _ = try await transaction.execute(
            """
            INSERT INTO outbox (message_id, message) SELECT * FROM unnest($1::uuid[], $2::text[])
            ON CONFLICT DO NOTHING
            """, [messages.map(\.envelope.id.uuid), messages.map { RecordedReplies.encode([$0]) }])
    }

    package func claim(_ limit: Int, for lease: Duration) async throws -> [OutgoingMessage] {
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                """
                UPDATE outbox SET claimed_until = now() + make_interval(secs => $2) WHERE message_id IN (
                    SELECT message_id FROM outbox WHERE claimed_until < now()
                    ORDER BY message_id LIMIT $1 FOR UPDATE SKIP LOCKED)
                RETURNING message_id, message
                """, [limit, lease.seconds], as: (UUID, String).self)
        }
        var messages: [OutgoingMessage] = []
        var unreadable: [UUID] = []
        for (id, text) in rows {
            do {
                messages += try RecordedReplies.decode(text)
            } catch is RecordedReplies.Unreadable {
                unreadable.append(id)
            }
        }
        if !unreadable.isEmpty { try await setAside(unreadable) }
        return messages
    }

    /// Keeps rows that cannot be read from stopping the others; they stay for an operator, who sees the outbox grow old.
    private func setAside(_ messages: [UUID]) async throws {
        _ = try await pool.withConnection { connection in
            try await connection.execute(
                "UPDATE outbox SET claimed_until = 'infinity' WHERE message_id = ANY($1)", [messages])
        }
    }

    package func remove(_ messages: [MessageID]) async throws {
        _ = try await pool.withConnection { connection in
            try await connection.execute("DELETE FROM outbox WHERE message_id = ANY($1)", [messages.map(\.uuid)])
        }
    }
}
