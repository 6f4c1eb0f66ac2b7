import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Postgres

/// Charges as rows of `payment.charge`; every method is one round trip or less, however many charges it is about.
package struct PostgresChargeStore: ChargeStore {
    package init() {}

    package func add(
        _ charges: [Charge], dueAfter pause: Duration, in transaction: Transaction
    ) async throws -> Set<SagaID> {
        let statement = insert(charges, dueAfter: pause)
        let rows = try await transaction.query(statement.sql, statement.parameters, as: UUID.self)
        return Set(rows.map { SagaID($0) })
    }

    package func open(
        _ charges: [Charge], dueAfter pause: Duration, in transaction: Transaction
    ) async throws -> Set<SagaID> {
        let rows = try await transaction.commit(after: insert(charges, dueAfter: pause), as: UUID.self)
        return Set(rows.map { SagaID($0) })
    }

    private func insert(_ charges: [Charge], dueAfter pause: Duration) -> Statement {
        Statement(
            """
            INSERT INTO payment.charge (
                saga_id, idempotency_key, amount_minor, currency, method, status,
                command, command_id, step, traceparent, next_check_at)
            SELECT fresh.*, CASE WHEN fresh.status = 'open' THEN now() + $11::bigint * interval '1 millisecond' END
            FROM unnest(
                $1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                $7::text[], $8::uuid[], $9::bigint[], $10::text[])
                AS fresh (
                    saga_id, idempotency_key, amount_minor, currency, method, status,
                    command, command_id, step, traceparent)
            ON CONFLICT (saga_id) DO NOTHING
            RETURNING saga_id
            """,
            charges.map(\.sagaID.uuid), charges.map(\.idempotencyKey), charges.map(\.terms.amount.minor),
            charges.map(\.terms.amount.currency), charges.map(\.terms.method), charges.map(\.state.status),
            charges.map(\.owed.operation.rawValue), charges.map(\.owed.id.uuid), charges.map(\.owed.step),
            charges.map(\.owed.traceparent), pause.wholeMilliseconds)
    }

    package func find(_ sagas: [SagaID], in transaction: Transaction) async throws -> [Charge] {
        try await transaction.query(
            """
            SELECT \(ChargeRow.columns)
            FROM payment.charge
            WHERE saga_id = ANY ($1)
            ORDER BY saga_id
            FOR UPDATE
            """,
            [sagas.map(\.uuid)], as: ChargeRow.Columns.self
        ).map(ChargeRow.charge)
    }

    package func apply(
        _ changes: [ChargeChange], noting attempts: [AttemptNote], in transaction: Transaction
    ) async throws -> Set<SagaID> {
        if !attempts.isEmpty { transaction.postpone([note(attempts)]) }
        guard !changes.isEmpty else { return [] }
        let statement = update(changes)
        let rows = try await transaction.query(
            statement.sql + " RETURNING charge.saga_id", statement.parameters, as: UUID.self)
        return Set(rows.map { SagaID($0) })
    }

    package func applyAll(
        _ changes: [ChargeChange], noting attempts: [AttemptNote], in transaction: Transaction
    ) {
        if !attempts.isEmpty { transaction.postpone([note(attempts)]) }
        if !changes.isEmpty { transaction.postpone([update(changes).touching(exactly: changes.count)]) }
    }

    /// What an error of these statements says, wherever it is thrown.
    package static func meaning(of error: PostgresError) -> any Error {
        error.code == .unexpectedRowCount ? OptimisticLockFailure() : error
    }

    private func note(_ attempts: [AttemptNote]) -> Statement {
        Statement(
            """
            INSERT INTO payment.attempt (saga_id, operation, outcome, detail)
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])
            """,
            attempts.map(\.sagaID.uuid), attempts.map(\.operation.rawValue), attempts.map(\.outcome.rawValue),
            attempts.map(\.detail))
    }

    private func update(_ changes: [ChargeChange]) -> Statement {
        Statement(
            """
            UPDATE payment.charge
            SET status = change.status, provider_id = change.provider_id, decline_reason = change.decline_reason,
                attempts = change.attempts, next_check_at = now() + change.pause * interval '1 millisecond',
                command = change.command, command_id = change.command_id, step = change.step,
                traceparent = change.traceparent, updated_at = now()
            FROM unnest(
                $1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
                $9::text[], $10::uuid[], $11::bigint[], $12::text[])
                AS change (
                    saga_id, old_status, old_command_id, status, provider_id, decline_reason, attempts, pause,
                    command, command_id, step, traceparent)
            WHERE charge.saga_id = change.saga_id
                AND charge.status = change.old_status AND charge.command_id = change.old_command_id
            """,
            changes.map(\.to.sagaID.uuid), changes.map(\.from.state.status), changes.map(\.from.owed.id.uuid),
            changes.map(\.to.state.status), changes.map(\.to.state.providerID),
            changes.map(\.to.state.declineReason), changes.map(\.to.attempts),
            changes.map(\.dueAfter?.wholeMilliseconds), changes.map(\.to.owed.operation.rawValue),
            changes.map(\.to.owed.id.uuid), changes.map(\.to.owed.step), changes.map(\.to.owed.traceparent))
    }

    package func amend(_ answers: [HandledMessage], in transaction: Transaction) {
        transaction.postpone([
            Statement(
                """
                UPDATE payment.inbox SET replies = answer.replies
                FROM unnest($1::uuid[], $2::text[]) AS answer (message_id, replies)
                WHERE inbox.message_id = answer.message_id
                """,
                answers.map(\.id.uuid), answers.map { RecordedReplies.encode($0.replies) })
        ])
    }
}

extension PostgresChargeStore: DueCharges {
    package func claim(_ limit: Int, for lease: Duration, in transaction: Transaction) async throws -> [Charge] {
        try await transaction.query(
            """
            WITH due AS MATERIALIZED (
                SELECT saga_id AS due_saga_id
                FROM payment.charge
                WHERE next_check_at <= now()
                ORDER BY next_check_at
                LIMIT $1
                FOR UPDATE SKIP LOCKED
            )
            UPDATE payment.charge
            SET next_check_at = now() + $2::bigint * interval '1 millisecond'
            FROM due
            WHERE saga_id = due_saga_id
            RETURNING \(ChargeRow.columns)
            """,
            [limit, lease.wholeMilliseconds], as: ChargeRow.Columns.self
        ).map(ChargeRow.charge)
    }

    package func settle(_ charges: [Charge], in transaction: Transaction) async throws {
        _ = try await transaction.execute(
            """
            UPDATE payment.charge SET next_check_at = NULL
            FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS answered (saga_id, status, command_id)
            WHERE charge.saga_id = answered.saga_id
                AND charge.status = answered.status AND charge.command_id = answered.command_id
            """,
            [charges.map(\.sagaID.uuid), charges.map(\.state.status), charges.map(\.owed.id.uuid)])
    }
}
