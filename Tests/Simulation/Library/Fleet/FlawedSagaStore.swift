import Contracts
import Engine
import FleetStorage
import OrchestratorService
import Postgres
import SagaCore

/// The sagas' store, with or without a flaw.
struct FlawedSagaStore<Definition: PurchaseDefinition>: SagaStore {
    typealias Transaction = MemoryTransaction<OrchestratorTables<Definition>>

    private let inner: MemorySagaStore<Definition>
    private let flaw: SagaFlaw

    init(_ inner: MemorySagaStore<Definition>, _ flaw: SagaFlaw) {
        self.inner = inner
        self.flaw = flaw
    }

    func transact<R: Sendable>(_ body: (Transaction) async throws -> R) async throws -> R {
        try await inner.transact(body)
    }

    func lock(
        _ sagas: [SagaID], _ messages: [JournalKey], in transaction: Transaction
    ) async throws -> LockedSagas<Definition> {
        switch flaw {
        case .none, .earlyRest, .startsUnchecked, .noDoubt: try await inner.lock(sagas, messages, in: transaction)
        case .noJournal: try await inner.lock(sagas, [], in: transaction)
        case .noLocks:
            try await transaction.read { tables in
                var found = LockedSagas<Definition>(sagas: [:], journal: [:], now: transaction.now)
                for id in sagas { found.sagas[id] = tables.sagas[id]?.record }
                for message in messages { found.journal[message] = tables.entries[message] }
                return found
            }
        }
    }

    /// A store that forgets its locks or its journal has nothing else to go by either.
    func recall(_ sagas: [SagaID]) -> [SagaID: SagaRecord<Definition>]? {
        switch flaw {
        case .none, .earlyRest, .startsUnchecked, .noDoubt: inner.recall(sagas)
        case .noJournal, .noLocks: nil
        }
    }

    func begin(
        _ sagas: [NewSaga<Definition>], _ journal: [JournalEntry<Definition>], in transaction: Transaction
    ) async throws {
        try await inner.begin(sagas, journal, in: transaction)
    }

    func insert(_ sagas: [NewSaga<Definition>], in transaction: Transaction) async throws -> SagaInsertion {
        let insertion = try await inner.insert(sagas, in: transaction)
        guard case .startsUnchecked = flaw else { return insertion }
        let others = sagas.filter { saga in
            let earlier = insertion.requests[ExactText(saga.claim.key ?? "")]
            return insertion.intents[ExactText(saga.claim.intent ?? "")] == nil
                && (earlier == nil || earlier?.subject == saga.record.id.uuid)
        }
        return SagaInsertion(
            added: insertion.added.union(others.map(\.record.id)), turnedAway: insertion.turnedAway,
            requests: insertion.requests, intents: insertion.intents)
    }

    func reject(_ starts: [RequestRecord], in transaction: Transaction) async throws {
        try await inner.reject(starts, in: transaction)
    }

    func putOff(after pause: Duration, because reason: String) async throws -> Bool {
        try await inner.putOff(after: pause, because: reason)
    }

    func save(
        _ changes: [SagaChange<Definition>], _ journal: [JournalEntry<Definition>], in transaction: Transaction
    ) async throws {
        switch flaw {
        case .none, .noJournal, .startsUnchecked: try await inner.save(changes, journal, in: transaction)
        case .earlyRest:
            let rested = changes.map { change in
                var saga = change.after
                if saga.state.outcome != nil { saga.wakeAt = nil }
                return SagaChange(from: change.before, to: saga)
            }
            try await inner.save(rested, journal, in: transaction)
        case .noLocks, .noDoubt:
            try await transaction.write(locking: []) { tables in
                for change in changes { try tables.update(change.after) }
                for entry in journal { tables.journal[entry.sagaID, default: []].append(entry) }
            }
            try await transaction.commit()
            inner.recent.remember(changes.map(\.after))
        }
    }

    func due(_ limit: Int, in transaction: Transaction) async throws -> LockedSagas<Definition> {
        try await inner.due(limit, in: transaction)
    }
}
