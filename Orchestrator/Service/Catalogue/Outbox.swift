import Connections
import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres
import Synchronization

/// Messages that follow from no message, kept until the broker has confirmed them.
enum Outbox {
    static func add(_ messages: [OutgoingMessage], in transaction: Transaction) async throws {
        _ = try await transaction.execute(
            """
            INSERT INTO outbox (message_id, message) SELECT * FROM unnest($1::uuid[], $2::text[])
            ON CONFLICT DO NOTHING
            """, [messages.map(\.envelope.id.uuid), messages.map { RecordedReplies.encode([$0]) }])
    }
}

/// Publishes the outbox; a row goes when its message is confirmed, so a crash between repeats the message.
package struct OutboxRelay: Sweep {
    package let name = "outbox"
    /// How long a claim keeps other relays away.
    static let lease = 10
    static let batch = 200

    let pool: PostgresPool
    let mailer: Mailer
    let bell: Bell

    package init(_ pool: PostgresPool, mailer: Mailer, bell: Bell) {
        self.pool = pool
        self.mailer = mailer
        self.bell = bell
    }

    /// Asks for a sweep now rather than at the next period.
    package func hurry() {
        bell.ring()
    }

    package func sweep() async throws -> Int {
        let claimed = try await pool.withConnection { connection in
            try await connection.query(
                """
                UPDATE outbox SET claimed_until = now() + make_interval(secs => $2) WHERE message_id IN (
                    SELECT message_id FROM outbox WHERE claimed_until < now()
                    ORDER BY message_id LIMIT $1 FOR UPDATE SKIP LOCKED)
                RETURNING message_id, message
                """, [Self.batch, Double(Self.lease)], as: (UUID, String).self)
        }
        guard !claimed.isEmpty else { return 0 }
        FaultPoint.outboxClaimed.pass()
        try await mailer.send(try claimed.flatMap { try RecordedReplies.decode($0.1) })
        FaultPoint.outboxConfirmed.pass()
        _ = try await pool.withConnection { connection in
            try await connection.execute("DELETE FROM outbox WHERE message_id = ANY($1)", [claimed.map(\.0)])
        }
        return claimed.count
    }
}
