import Connections
import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres
import SagaCore

/// Sagas in the tables `saga` and `saga_step` of the orchestrator's schema, always a batch at a time.
package struct PostgresSagaStore<Definition: SagaDefinition>: SagaStore {
    let connection: PostgresConnection
    let states = TextCache<Definition.State>()
    let recent: RecentSagas<Definition>

    /// - Parameter recent: one for all stores of a process, because one may begin a saga and another move it on.
    package init(_ connection: PostgresConnection, recent: RecentSagas<Definition> = RecentSagas()) {
        self.connection = connection
        self.recent = recent
    }

    package func transact<R: Sendable>(_ body: (Transaction) async throws -> R) async throws -> R {
        try await connection.transaction(body)
    }

    package func lock(
        _ sagas: [SagaID], _ messages: [MessageID], in transaction: Transaction
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
                FROM saga_step WHERE message_id = ANY($1)
                """, messages.map(\.uuid)), as: JournalRow.self)
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
        let statements = [try addition(of: sagas), try append(journal)]
        FaultPoint.startsInserted.pass()
        FaultPoint.beforeCommit.pass()
        do {
            _ = try await transaction.commit(after: statements)
        } catch {
            throw error.code == .uniqueViolation ? ConcurrentRepeat() : error
        }
        FaultPoint.committed.pass()
        recent.remember(sagas.map(\.record))
    }

    package func insert(
        _ sagas: [NewSaga<Definition>], in transaction: Transaction
    ) async throws -> SagaInsertion {
        let addition = try addition(of: sagas)
        let inserted = try await transaction.query(
            "\(addition.sql) ON CONFLICT DO NOTHING RETURNING id", addition.parameters, as: (UUID).self)
        FaultPoint.startsInserted.pass()
        let added = Set(inserted.map { SagaID($0) })
        recent.remember(sagas.map(\.record).filter { added.contains($0.id) })
        guard added.count < sagas.count else { return SagaInsertion(added: added, conflicts: []) }
        return SagaInsertion(added: added, conflicts: try await conflicts(of: sagas, in: transaction))
    }

    package func knownKeys(_ keys: [String]) async throws -> Set<String> {
        guard !keys.isEmpty else { return [] }
        let rows = try await connection.query(
            "SELECT start_key FROM saga WHERE start_key = ANY($1)", [keys], as: (String).self)
        return Set(rows)
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
            throw ConcurrentRepeat()
        }
        FaultPoint.committed.pass()
        recent.remember(changes.map(\.after))
    }

    private func conflicts(
        of sagas: [NewSaga<Definition>], in transaction: Transaction
    ) async throws -> [StartConflict] {
        let rows = try await transaction.query(
            """
            SELECT id, start_key, fingerprint, intent FROM saga
            WHERE start_key = ANY($1) OR intent = ANY($2)
            """, [sagas.compactMap(\.claim.key), sagas.compactMap(\.claim.intent)],
            as: (UUID, String?, Data?, String?).self)
        return rows.map {
            StartConflict(existing: SagaID($0.0), key: $0.1, fingerprint: $0.2 ?? Data(), intent: $0.3)
        }
    }

    private func locked(_ rows: [SagaRow], _ journal: [JournalRow]) throws -> LockedSagas<Definition> {
        var locked = LockedSagas<Definition>(sagas: [:], journal: [:], now: rows.first?.11 ?? Date())
        for row in rows {
            let record = try SagaRecord<Definition>(row, states: states, recent: recent)
            locked.sagas[record.id] = record
        }
        for row in journal {
            let entry = try JournalEntry<Definition>(row)
            locked.journal[entry.messageID] = entry
        }
        return locked
    }
}
