import Contracts
import FleetRuntime
import FoundationEssentials
import OrchestratorService
import SagaCore

/// Sagas and their journal in memory, with the locks and constraints of the schema `orchestrator`.
package struct MemorySagaStore<Definition: PurchaseDefinition>: SagaStore {
    package typealias Transaction = MemoryTransaction<OrchestratorTables<Definition>>

    let session: MemorySession<OrchestratorTables<Definition>>
    let recent = RecentSagas<Definition>()

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
        _ sagas: [SagaID], _ messages: [MessageID], in transaction: Transaction
    ) async throws -> LockedSagas<Definition> {
        let wanted = Set(sagas).sorted()
        let rows = try await transaction.read { tables in wanted.filter { tables.sagas[$0] != nil } }
        var locked = try await transaction.read(locking: rows.map(\.row)) { tables in
            var locked = LockedSagas<Definition>(sagas: [:], journal: [:], now: transaction.now)
            for id in rows { locked.sagas[id] = tables.sagas[id]?.record }
            return locked
        }
        locked.journal = try await transaction.read { tables in
            var known: [MessageID: JournalEntry<Definition>] = [:]
            for message in messages { known[message] = tables.entryOfMessage[message] }
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
        let rows = keys(of: sagas) + journal.map { .id(.journal, $0.messageID.uuid) }
        try await transaction.write(locking: rows) { tables in
            for saga in sagas where !tables.add(saga) { throw ConcurrentRepeat() }
            for entry in journal {
                guard tables.entryOfMessage[entry.messageID] == nil else { throw ConcurrentRepeat() }
                try tables.append(entry)
            }
        }
        try await transaction.commit()
        recent.remember(sagas.map(\.record))
    }

    private func keys(of sagas: [NewSaga<Definition>]) -> [RowKey] {
        sagas.flatMap { saga in
            [saga.record.id.row] + (saga.claim.key.map { [RowKey.text(.startKey, $0)] } ?? [])
                + (saga.claim.intent.map { [RowKey.text(.intent, $0)] } ?? [])
        }
    }

    package func insert(
        _ sagas: [NewSaga<Definition>], in transaction: Transaction
    ) async throws -> SagaInsertion {
        // Decided once: an intent that comes free before the commit does not let a refused saga in.
        let added = try await transaction.read(locking: keys(of: sagas)) { tables in
            var tables = tables
            return sagas.filter { tables.add($0) }
        }
        try await transaction.write(locking: []) { tables in
            for saga in added where !tables.add(saga) {
                throw MemoryDatabase<OrchestratorTables<Definition>>.failure(.uniqueViolation, "saga")
            }
        }
        let ids = Set(added.map(\.record.id))
        guard added.count < sagas.count else { return SagaInsertion(added: ids, conflicts: []) }
        let conflicts = try await transaction.read { tables in
            let ids = sagas.flatMap { saga in
                [
                    saga.claim.key.flatMap { tables.sagaOfKey[$0] },
                    saga.claim.intent.flatMap { tables.sagaOfIntent[$0] },
                ]
            }
            return Set(ids.compactMap { $0 }).sorted().compactMap { id in
                tables.sagas[id].map {
                    StartConflict(
                        existing: id, key: $0.claim.key, fingerprint: $0.claim.fingerprint, intent: $0.intent)
                }
            }
        }
        return SagaInsertion(added: ids, conflicts: conflicts)
    }

    package func save(
        _ changes: [SagaChange<Definition>], _ journal: [JournalEntry<Definition>], in transaction: Transaction
    ) async throws {
        guard !changes.isEmpty || !journal.isEmpty else { return }
        let rows = changes.map(\.after.id.row) + journal.map { .id(.journal, $0.messageID.uuid) }
        do {
            try await transaction.write(locking: rows) { tables in
                for change in changes { try tables.update(change) }
                for entry in journal {
                    guard tables.entryOfMessage[entry.messageID] == nil else { throw ConcurrentRepeat() }
                    try tables.append(entry)
                }
            }
        } catch let error as ConcurrentRepeat {
            recent.doubt()
            throw error
        }
        try await transaction.commit()
        recent.remember(changes.map(\.after))
    }

    package func knownKeys(_ keys: [String]) async throws -> Set<String> {
        try await session.look { tables in Set(keys.filter { tables.sagaOfKey[$0] != nil }) }
    }
}

extension SagaID {
    fileprivate var row: RowKey { .id(.saga, uuid) }
}
