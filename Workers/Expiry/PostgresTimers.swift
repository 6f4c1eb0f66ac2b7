import Contracts
import FoundationEssentials
import Postgres

/// The timers of the schema `expiry`; every time is the database's.
package struct PostgresTimers: TimerStore, TimerClock {
    let connection: PostgresConnection

    /// The connection serves the clock alone; what a batch notes goes through the batch's transaction.
    package init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    package func note(wanted: [FleetTimer], unwanted: [TimerKey], in transaction: Transaction) {
        var statements: [Statement] = []
        if !wanted.isEmpty { statements.append(schedule(wanted)) }
        if !unwanted.isEmpty { statements.append(cancel(unwanted)) }
        transaction.postpone(statements)
    }

    /// Rows are written in the order of their key, so that two batches cannot wait for each other.
    private func schedule(_ timers: [FleetTimer]) -> Statement {
        Statement(
            """
            INSERT INTO timer (saga_id, subject, due_at, step, command_id, traceparent, status)
            SELECT saga_id, subject, due_at, step, command_id, traceparent, 'scheduled'
            FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::bigint[], $5::uuid[], $6::text[])
                AS wanted (saga_id, subject, due_at, step, command_id, traceparent)
            ORDER BY saga_id, subject
            ON CONFLICT DO NOTHING
            """,
            timers.map(\.key.sagaID.uuid), timers.map(\.key.subject), timers.map(\.dueAt), timers.map(\.step),
            timers.map(\.commandID.uuid), timers.map(\.traceparent))
    }

    private func cancel(_ keys: [TimerKey]) -> Statement {
        Statement(
            """
            INSERT INTO timer (saga_id, subject, status, ended_at)
            SELECT DISTINCT saga_id, subject, 'cancelled', now()
            FROM unnest($1::uuid[], $2::text[]) AS unwanted (saga_id, subject)
            ORDER BY saga_id, subject
            ON CONFLICT (saga_id, subject) DO UPDATE
            SET status = 'cancelled', ended_at = now()
            WHERE timer.status = 'scheduled'
            """,
            keys.map(\.sagaID.uuid), keys.map(\.subject))
    }

    /// One statement is the whole transaction: nothing stays open while the replies are published.
    ///
    /// Its commit does not wait for the disk: a claim lost with the server is a timer that rings again, with the same
    /// id. The limit stands in the text because the planner must know it.
    package func claimDue(_ limit: Int, for lease: Duration) async throws -> [FleetTimer] {
        let rows = try await connection.query(
            """
            UPDATE timer
            SET claimed_until = now() + $1::bigint * interval '1 second'
            FROM set_config('synchronous_commit', 'off', true)
            WHERE ctid = ANY (ARRAY (
                SELECT ctid
                FROM timer
                WHERE status = 'scheduled' AND due_at <= now() AND (claimed_until IS NULL OR claimed_until <= now())
                ORDER BY due_at
                LIMIT \(limit)
                FOR UPDATE SKIP LOCKED))
            RETURNING saga_id, subject, due_at, step, command_id, traceparent
            """,
            [Int(lease.components.seconds)], as: (UUID, String, Date, Int?, UUID, String?).self)
        return rows.map { sagaID, subject, dueAt, step, commandID, traceparent in
            FleetTimer(
                key: TimerKey(sagaID: SagaID(sagaID), subject: subject), dueAt: dueAt, step: step,
                commandID: MessageID(commandID), traceparent: traceparent)
        }
    }

    package func markFired(_ keys: [TimerKey]) async throws {
        _ = try await connection.execute(
            """
            UPDATE timer
            SET status = 'fired', ended_at = now()
            FROM unnest($1::uuid[], $2::text[]) AS told (saga_id, subject),
                set_config('synchronous_commit', 'off', true)
            WHERE timer.saga_id = told.saga_id AND timer.subject = told.subject AND timer.status = 'scheduled'
            """,
            [keys.map(\.sagaID.uuid), keys.map(\.subject)])
    }

    /// Saga ids begin with their time of birth, so the old timers are the first of the primary key, and no index on
    /// `ended_at` burdens every cancel.
    package func forgetEnded(_ limit: Int, after retention: Duration) async throws -> Int {
        try await connection.execute(
            """
            DELETE FROM timer
            WHERE ctid = ANY (ARRAY (
                SELECT ctid
                FROM timer, (SELECT now() - $1::bigint * interval '1 second' AS horizon) AS past
                WHERE saga_id < rpad(lpad(to_hex((extract(epoch FROM horizon) * 1000)::bigint), 12, '0'), 32, '0')::uuid
                    AND status <> 'scheduled' AND ended_at < horizon
                ORDER BY saga_id
                LIMIT \(limit)
                FOR UPDATE OF timer SKIP LOCKED))
            """,
            [Int(retention.components.seconds)])
    }
}
