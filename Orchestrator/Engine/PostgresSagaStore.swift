import Connections
import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Postgres
import SagaCore

/// Sagas in the tables `saga` and `saga_step` of the orchestrator's schema, always a batch at a time.
package struct PostgresSagaStore<Definition: SagaDefinition>: SagaStore {
    let connection: PostgresConnection
    let states = TextCache<Definition.State>()
    let recent: SagaCache<Definition>

    /// - Parameter recent: one for all stores of a process, because one may begin a saga and another move it on.
    package init(_ connection: PostgresConnection, recent: SagaCache<Definition> = SagaCache()) {
        self.connection = connection
        self.recent = recent
    }

    package func transact<R: Sendable>(_ body: (Transaction) async throws -> R) async throws -> R {
        try await connection.transaction(body)
    }

    package func lock(
        _ sagas: [SagaID], _ messages: [JournalKey], in transaction: Transaction
    ) async throws -> LockedSagas<Definition> {
        // The journal is looked at after the locks are held, when nobody else can be writing it.
        let (rows, journal) = try await transaction.query(
            Statement(
                """
                SELECT id, version, step, detail, facts, request, wake_at, due_at, attempts, needs_attention,
                    traceparent, now()
                FROM saga WHERE id = ANY($1) AND kind = $2 ORDER BY id FOR UPDATE
                """, sagas.map(\.uuid), Definition.kind), as: SagaRow.self,
            Statement(
                """
                SELECT saga_id, version, message_id, input, from_state, detail, step, effects, at, traceparent
                FROM unnest($1::uuid[], $2::uuid[]) AS known (saga_id, message_id)
                    JOIN saga_step USING (saga_id, message_id)
                """, messages.map(\.saga.uuid), messages.map(\.message.uuid)), as: JournalRow.self)
        return try locked(rows, journal)
    }

    package func due(_ limit: Int, in transaction: Transaction) async throws -> LockedSagas<Definition> {
        let rows = try await transaction.query(
            """
            SELECT id, version, step, detail, facts, request, wake_at, due_at, attempts, needs_attention, traceparent,
                now()
            FROM saga WHERE wake_at <= now() AND kind = $2 ORDER BY wake_at LIMIT $1 FOR UPDATE SKIP LOCKED
            """, [limit, Definition.kind], as: SagaRow.self)
        return try locked(rows, [])
    }

    package func recall(_ sagas: [SagaID]) -> [SagaID: SagaRecord<Definition>]? {
        recent.records(of: sagas)
    }

    package func begin(
        _ sagas: [NewSaga<Definition>], _ journal: [JournalEntry<Definition>], in transaction: Transaction
    ) async throws {
        let requests = sagas.compactMap(\.request)
        let records = requests.isEmpty ? [] : [try RequestTable.insertion(of: requests)]
        let statements = records + [try addition(of: sagas), try append(journal)]
        FaultPoint.startsInserted.pass()
        FaultPoint.beforeCommit.pass()
        do {
            _ = try await transaction.commit(after: statements)
        } catch {
            throw error.code == .uniqueViolation ? DuplicateMessage() : error
        }
        FaultPoint.committed.pass()
        recent.remember(sagas.map(\.record))
    }

    package func insert(
        _ sagas: [NewSaga<Definition>], in transaction: Transaction
    ) async throws -> SagaInsertion {
        let (begun, requests) = try await RequestTable.add(sagas.compactMap(\.request), in: transaction)
        let free = sagas.filter { $0.claim.key == nil || begun.contains($0.record.id.uuid) }
        let added = free.isEmpty ? [] : try await insert(free: free, in: transaction)
        FaultPoint.startsInserted.pass()
        recent.remember(sagas.map(\.record).filter { added.contains($0.id) })
        guard added.count < sagas.count else { return SagaInsertion(added: added) }
        let turnedAway = free.filter { $0.claim.key != nil && !added.contains($0.record.id) }
        return SagaInsertion(
            added: added, turnedAway: Set(turnedAway.map(\.record.id)), requests: requests,
            intents: try await holders(of: sagas.compactMap(\.claim.intent), in: transaction))
    }

    private func insert(
        free sagas: [NewSaga<Definition>], in transaction: Transaction
    ) async throws -> Set<SagaID> {
        let addition = try addition(of: sagas)
        let inserted = try await transaction.query(
            "\(addition.sql) ON CONFLICT DO NOTHING RETURNING id", addition.parameters, as: (UUID).self)
        return Set(inserted.map { SagaID($0) })
    }

    package func reject(_ starts: [RequestRecord], in transaction: Transaction) async throws {
        try await RequestTable.reject(starts, in: transaction)
    }

    /// Looks only at columns that every saga has, for it may be one that cannot be read.
    package func putOff(after pause: Duration, because reason: String) async throws -> Bool {
        let touched = try await connection.execute(
            """
            UPDATE saga SET wake_at = now() + make_interval(secs => $1),
                due_at = greatest(due_at, now() + make_interval(secs => $1)), needs_attention = $2
            WHERE id = (
                SELECT id FROM saga WHERE wake_at <= now() AND kind = $3 ORDER BY wake_at LIMIT 1
                FOR UPDATE SKIP LOCKED)
            """, [pause.seconds, reason, Definition.kind])
        recent.doubt()
        return touched > 0
    }

    package func save(
        _ changes: [SagaChange<Definition>], _ journal: [JournalEntry<Definition>], in transaction: Transaction
    ) async throws {
        var statements: [Statement] = []
        if !changes.isEmpty { statements.append(try update(changes)) }
        if !journal.isEmpty { statements.append(try append(journal)) }
        guard !statements.isEmpty else { return }
        FaultPoint.beforeCommit.pass()
        do {
            _ = try await transaction.commit(after: statements)
        } catch {
            guard error.code == .unexpectedRowCount || error.constraint == "saga_step_once_per_message" else {
                throw error
            }
            recent.doubt()
            throw DuplicateMessage()
        }
        FaultPoint.committed.pass()
        recent.remember(changes.map(\.after))
    }

    /// The open sagas that are about these intents.
    private func holders(of intents: [String], in transaction: Transaction) async throws -> [ExactText: SagaID] {
        let rows = try await transaction.query(
            "SELECT intent, id FROM saga WHERE intent = ANY($1)", [intents], as: (String, UUID).self)
        return Dictionary(uniqueKeysWithValues: rows.map { (ExactText($0.0), SagaID($0.1)) })
    }

    private func locked(_ rows: [SagaRow], _ journal: [JournalRow]) throws -> LockedSagas<Definition> {
        var locked = LockedSagas<Definition>(sagas: [:], journal: [:], now: rows.first?.11 ?? Date())
        for row in rows {
            let record = try SagaRecord<Definition>(row, states: states, recent: recent)
            locked.sagas[record.id] = record
        }
        for row in journal {
            let entry = try JournalEntry<Definition>(row)
            locked.journal[entry.key] = entry
        }
        return locked
    }
}
