import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres
import RabbitMQ
import WireJSON

/// The table `undelivered_answer` of the orchestrator's schema.
package struct PostgresUndeliveredAnswers: UndeliveredAnswers {
    let pool: PostgresPool

    package init(_ pool: PostgresPool) {
        self.pool = pool
    }

    package func keep(_ messages: [UndeliveredMessage]) async throws -> Int {
        // No text of PostgreSQL can hold a zero, and no queue that can be declared has one in its name.
        let storable = messages.filter { !$0.queue.utf8.contains(0) }
        let rows = try storable.map(Row.init)
        guard !rows.isEmpty else { return messages.count }
        let parameters: [any PostgresEncodable] = [
            rows.map(\.queue), rows.map(\.message.uuid), rows.map(\.kind), rows.map(\.saga?.uuid),
            rows.map(\.properties), rows.map(\.body), rows.map(\.reason),
        ]
        let found = try await pool.withConnection { connection in
            try await connection.query(
                """
                WITH new AS (
                    SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::bytea[],
                        $7::text[]) AS new (queue, message_id, kind, saga_id, properties, body, reason)
                ), room AS (
                    SELECT queue, (SELECT count(*) FROM undelivered_answer kept WHERE kept.queue = named.queue)
                            < \(UndeliveredLimits.perQueue)
                        AND (SELECT count(*) FROM (SELECT FROM undelivered_answer LIMIT \(UndeliveredLimits.inAll)) AS kept)
                            < \(UndeliveredLimits.inAll) AS is_left
                    FROM (SELECT DISTINCT queue FROM new) AS named
                ), kept AS (
                    INSERT INTO undelivered_answer (queue, message_id, kind, saga_id, properties, body, reason)
                    SELECT new.* FROM new JOIN room USING (queue) WHERE room.is_left
                    ORDER BY queue, message_id ON CONFLICT DO NOTHING
                )
                SELECT count(*) FROM new JOIN room USING (queue) WHERE NOT room.is_left
                """, parameters, as: Int.self)
        }
        return messages.count - storable.count + (found.first ?? 0)
    }

    package func claim() async throws -> [DueAnswer] {
        let rows = try await pool.withConnection { connection in
            _ = try await connection.execute(
                "DELETE FROM undelivered_answer WHERE due_at IS NULL AND since < now() - make_interval(secs => $1)",
                [UndeliveredLimits.retention.seconds])
            return try await connection.query(
                """
                WITH due AS (
                    SELECT queue FROM undelivered_answer WHERE due_at <= now()
                    GROUP BY queue ORDER BY min(due_at) LIMIT \(UndeliveredLimits.queuesAtOnce)
                ), claimed AS (
                    SELECT answer.queue, answer.message_id FROM due CROSS JOIN LATERAL (
                        SELECT queue, message_id FROM undelivered_answer
                        WHERE queue = due.queue AND due_at <= now() ORDER BY since, message_id
                        LIMIT \(UndeliveredLimits.answersAtOnce) FOR UPDATE SKIP LOCKED) AS answer
                )
                UPDATE undelivered_answer AS answer
                SET due_at = now() + make_interval(secs => $1), attempts = attempts + 1
                FROM claimed WHERE answer.queue = claimed.queue AND answer.message_id = claimed.message_id
                RETURNING answer.queue, answer.message_id, answer.properties, answer.body, answer.since
                """, [UndeliveredLimits.lease.seconds], as: (String, UUID, String, Data, Date).self)
        }
        return try rows.sorted { ($0.4, $0.1.uuidString) < ($1.4, $1.1.uuidString) }.map { row in
            let properties = try WireFormat.decode(StoredProperties.self, fromText: row.2).properties
            return DueAnswer(
                message: MessageID(row.1),
                publication: Publication(
                    exchange: "", routingKey: row.0, isMandatory: true, properties: properties, body: row.3))
        }
    }

    package func settle(delivered: [DueAnswer], undelivered: [String: NonDelivery]) async throws {
        let queues = undelivered.sorted { $0.key < $1.key }
        _ = try await pool.transaction { transaction in
            _ = try await transaction.execute(
                """
                DELETE FROM undelivered_answer answer USING unnest($1::text[], $2::uuid[]) AS told (queue, message_id)
                WHERE answer.queue = told.queue AND answer.message_id = told.message_id
                """, [delivered.map(\.queue), delivered.map(\.message.uuid)])
            guard !queues.isEmpty else { return 0 }
            return try await transaction.execute(
                """
                UPDATE undelivered_answer answer
                SET reason = silent.reason,
                    due_at = CASE WHEN since > now() - make_interval(secs => $3) THEN now() + least(
                        greatest(now() - since, make_interval(secs => $4)), make_interval(secs => $5)) END
                FROM unnest($1::text[], $2::text[]) AS silent (queue, reason)
                WHERE answer.queue = silent.queue AND answer.due_at IS NOT NULL
                """,
                [
                    queues.map(\.key), queues.map(\.value.rawValue), UndeliveredLimits.patience.seconds,
                    UndeliveredLimits.shortestPause.seconds, UndeliveredLimits.longestPause.seconds,
                ])
        }
    }
}

/// An answer as it is stored.
private struct Row {
    let queue: String
    let message: MessageID
    let kind: String?
    let saga: SagaID?
    let properties: String
    let body: Data
    let reason: String

    init(_ undelivered: UndeliveredMessage) throws {
        let properties = undelivered.publication.properties
        queue = undelivered.queue
        message = properties.messageID.flatMap { MessageID(wire: $0) } ?? .derived(from: UUID(), "answer")
        kind = properties.type
        // An answer carries what the asker knows the purchase by; only the trace and the body name the saga.
        saga = properties.correlationID.flatMap { SagaID($0) }
        self.properties = try WireFormat.text(StoredProperties(properties))
        body = undelivered.publication.body
        reason = undelivered.reason.rawValue
    }
}
