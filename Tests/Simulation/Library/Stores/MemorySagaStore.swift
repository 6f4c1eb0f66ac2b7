import Contracts
import Engine
import FleetRuntime
import FleetStorage
import FoundationEssentials
import OrchestratorService
import Postgres
import SagaCore

/// Sagas and their journal in memory, with the locks and constraints of the schema `orchestrator`.
package struct MemorySagaStore<Definition: PurchaseDefinition>: SagaStore {
    package typealias Transaction = MemoryTransaction<OrchestratorTables<Definition>>

    let session: MemorySession<OrchestratorTables<Definition>>
    let recent = SagaCache<Definition>()

    package init(_ session: MemorySession<OrchestratorTables<Definition>>) {
        self.session = session
    }

    package func recall(_ sagas: [SagaID]) -> [SagaID: SagaRecord<Definition>]? {
        recent.records(of: sagas)
    }

    package func transact<R: Sendable>(_ body: (Transaction) async throws -> R) async throws -> R {
        try await session.transact(body)
    }

    package func lock(
        _ sagas: [SagaID], _ messages: [JournalKey], in transaction: Transaction
    ) async throws -> LockedSagas<Definition> {
        let wanted = Set(sagas).sorted()
        let rows = try await transaction.read { tables in wanted.filter { tables.sagas[$0] != nil } }
        var locked = try await transaction.read(locking: rows.map(\.row)) { tables in
            var locked = LockedSagas<Definition>(sagas: [:], journal: [:], now: transaction.now)
            for id in rows { locked.sagas[id] = tables.sagas[id]?.record }
            return locked
        }
        locked.journal = try await transaction.read { tables in
            var known: [JournalKey: JournalEntry<Definition>] = [:]
            for message in messages { known[message] = tables.entries[message] }
            return known
        }
        return locked
    }

    package func due(_ limit: Int, in transaction: Transaction) async throws -> LockedSagas<Definition> {
        let now = transaction.now
        let due = try await transaction.claim(
            { tables in
                tables.sagas.values.map(\.record).filter { $0.wakeAt.map { $0 <= now } ?? false }
                    .sorted { ($0.wakeAt ?? now, $0.id) < ($1.wakeAt ?? now, $1.id) }
            }, key: \.id.row, limit: limit)
        return LockedSagas(
            sagas: Dictionary(uniqueKeysWithValues: due.map { ($0.id, $0) }), journal: [:], now: now)
    }

    package func begin(
        _ sagas: [NewSaga<Definition>], _ journal: [JournalEntry<Definition>], in transaction: Transaction
    ) async throws {
        try await transaction.write(locking: keys(of: sagas)) { tables in
            for request in sagas.compactMap(\.request) where !tables.add(request) { throw DuplicateMessage() }
            for saga in sagas where !tables.add(saga) { throw DuplicateMessage() }
            for entry in journal { try tables.append(entry) }
        }
        try await transaction.commit()
        recent.remember(sagas.map(\.record))
    }

    private func keys(of sagas: [NewSaga<Definition>]) -> [RowKey] {
        sagas.flatMap { saga in
            [saga.record.id.row] + (saga.claim.key.map { [RowKey.text(.request, $0)] } ?? [])
                + (saga.claim.intent.map { [RowKey.text(.intent, $0)] } ?? [])
        }
    }

    package func insert(
        _ sagas: [NewSaga<Definition>], in transaction: Transaction
    ) async throws -> SagaInsertion {
        // Decided once: an intent that comes free before the commit does not let a refused saga in.
        let (held, added) = try await transaction.read(locking: keys(of: sagas)) { tables in
            var tables = tables
            let held = sagas.filter { $0.request.map { tables.add($0) } ?? true }
            return (held, held.filter { tables.add($0) })
        }
        try await transaction.write(locking: []) { tables in
            for request in held.compactMap(\.request) where !tables.add(request) {
                throw MemoryDatabase<OrchestratorTables<Definition>>.failure(.uniqueViolation, "request")
            }
            for saga in added where !tables.add(saga) {
                throw MemoryDatabase<OrchestratorTables<Definition>>.failure(.uniqueViolation, "saga")
            }
        }
        let ids = Set(added.map(\.record.id))
        guard added.count < sagas.count else { return SagaInsertion(added: ids) }
        let turnedAway = held.filter { $0.claim.key != nil }.map(\.record.id).filter { !ids.contains($0) }
        return try await transaction.read { tables in
            let left = sagas.filter { !ids.contains($0.record.id) }.map(\.claim)
            let requests = left.compactMap { claim in claim.key.flatMap { tables.requests[$0] } }
            let intents = left.compactMap { claim in
                claim.intent.flatMap { intent in tables.sagaOfIntent[intent].map { (ExactText(intent), $0) } }
            }
            return SagaInsertion(
                added: ids, turnedAway: Set(turnedAway),
                requests: Dictionary(requests.map { ($0.exactKey, $0) }) { first, _ in first },
                intents: Dictionary(intents) { first, _ in first })
        }
    }

    package func reject(_ starts: [RequestRecord], in transaction: Transaction) async throws {
        try await transaction.write(locking: starts.map { .text(.request, $0.key) }) { tables in
            for start in starts { tables.requests[start.key] = start }
        }
    }

    package func putOff(after pause: Duration, because reason: String) async throws -> Bool {
        try await session.transact { transaction in
            let now = transaction.now
            let due = try await transaction.claim(
                { tables in
                    tables.sagas.values.map(\.record).filter { $0.wakeAt.map { $0 <= now } ?? false }
                        .sorted { ($0.wakeAt ?? now, $0.id) < ($1.wakeAt ?? now, $1.id) }
                }, key: \.id.row, limit: 1)
            guard var first = due.first else { return false }
            let later = now.addingTimeInterval(pause.seconds)
            (first.wakeAt, first.dueAt, first.needsAttention) = (later, max(first.dueAt, later), reason)
            try await transaction.write(locking: [first.id.row]) { [first] in try $0.update(first) }
            return true
        }
    }

    package func save(
        _ changes: [SagaChange<Definition>], _ journal: [JournalEntry<Definition>], in transaction: Transaction
    ) async throws {
        guard !changes.isEmpty || !journal.isEmpty else { return }
        let rows = changes.map(\.after.id.row)
        do {
            try await transaction.write(locking: rows) { tables in
                for change in changes { try tables.update(change) }
                for entry in journal {
                    guard tables.entries[entry.key] == nil else { throw DuplicateMessage() }
                    try tables.append(entry)
                }
            }
        } catch let error as DuplicateMessage {
            recent.doubt()
            throw error
        }
        try await transaction.commit()
        recent.remember(changes.map(\.after))
    }
}

extension SagaID {
    fileprivate var row: RowKey { .id(.saga, uuid) }
}
