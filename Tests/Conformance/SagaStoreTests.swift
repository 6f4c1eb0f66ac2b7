import Contracts
import Engine
import FleetRuntime
import FleetStorage
import Foundation
import OrchestratorService
import Postgres
import SagaCore
import Simulation
import TestKit
import Testing

@Suite struct `A saga store` {
    @Test func `in memory keeps its promises`() throws {
        try inMemory { process in
            let database = MemoryDatabase("orchestrator", OrchestratorTables<PurchaseSaga>())
            try await keepPromises(
                MemorySagaStore(MemorySession(database, process)), MemorySagaStore(MemorySession(database, process)))
        }
    }

    @Test(.enabled(if: TestServers.haveDatabase)) func `in PostgreSQL keeps its promises`() async throws {
        try await withTestDatabase([
            (.reservation, []), (.orchestrator, OrchestratorService.migrations),
        ]) { database in
            try await keepPromises(
                PostgresSagaStore<PurchaseSaga>(database.connection(as: .orchestrator)),
                PostgresSagaStore<PurchaseSaga>(database.connection(as: .orchestrator)))
        }
    }
}

/// What every store of sagas promises; the second one is another connection to the same schema.
private func keepPromises<Store: SagaStore>(_ store: Store, _ other: Store) async throws
where Store.Definition == PurchaseSaga {
    try await `a new saga is found as it was`(store)
    try await `what a process has stored last it can recall`(store, other)
    try await `a start key is taken for ever`(store)
    try await `a start that is left out can be recorded as rejected, and holds its key`(store)
    try await `one key is one start's, also when two come in one batch`(store)
    try await `an intent is taken until the saga ends`(store)
    try await `a message is journaled once by a saga, whatever other sagas took`(store)
    try await `what cannot be woken is put off alone`(store)
    try await `sagas that nothing stands in the way of begin at once, or none does`(store)
    try await `a saga that somebody else moved on is not written`(store, other)
    try await `an open saga without a wake time is refused`(store)
    try await `due sagas are taken by one at a time`(store, other)
}

private func found<Store: SagaStore>(
    _ id: SagaID, _ messages: [JournalKey] = [], in store: Store
) async throws -> LockedSagas<PurchaseSaga> where Store.Definition == PurchaseSaga {
    try await store.transact { try await store.lock([id], messages, in: $0) }
}

private func insert<Store: SagaStore>(
    _ sagas: [NewSaga<PurchaseSaga>], _ journal: [JournalEntry<PurchaseSaga>] = [], into store: Store
) async throws -> SagaInsertion where Store.Definition == PurchaseSaga {
    try await store.transact { transaction in
        let insertion = try await store.insert(sagas, in: transaction)
        try await store.save([], journal, in: transaction)
        return insertion
    }
}

private func `a new saga is found as it was`<Store: SagaStore>(_ store: Store) async throws
where Store.Definition == PurchaseSaga {
    let (saga, entry) = try newborn()
    #expect(try await insert([saga], [entry], into: store).added == [saga.record.id])
    let stranger = JournalKey(saga.record.id, fresh())
    let locked = try await found(saga.record.id, [entry.key, stranger], in: store)
    let record = try #require(locked.sagas[saga.record.id])
    #expect(record.state == .reserving)
    #expect(record.version == 1 && record.step == 1)
    #expect(record.request == saga.record.request)
    #expect(record.facts == saga.record.facts)
    #expect(Set(locked.journal.keys) == [entry.key])
    #expect(locked.journal[entry.key]?.effects == entry.effects)
    #expect(try await found(fresh(), in: store).sagas.isEmpty)
}

private func `a start key is taken for ever`<Store: SagaStore>(_ store: Store) async throws
where Store.Definition == PurchaseSaga {
    let key = "http:\(fresh(MessageID.self))"
    let first = try newborn(key: key)
    #expect(try await insert([first.saga], [first.entry], into: store).added == [first.saga.record.id])
    try await end(first.saga.record, in: store)
    let insertion = try await insert([try newborn(key: key).saga], into: store)
    #expect(insertion.added.isEmpty && insertion.turnedAway.isEmpty)
    #expect(insertion.requests == [ExactText(key): try #require(first.saga.request)])
}

private func `a start that is left out can be recorded as rejected, and holds its key`<Store: SagaStore>(
    _ store: Store
) async throws where Store.Definition == PurchaseSaga {
    let (key, intent) = ("http:\(fresh(MessageID.self))", "\(fresh(EventID.self)):anna")
    let first = try newborn(intent: intent)
    _ = try await insert([first.saga], [first.entry], into: store)
    let second = try newborn(key: key, intent: intent).saga
    let rejection = try #require(
        second.claim.record(of: nil, .rejected(Problem(.purchaseInProgress, "there is one", sagaId: fresh()))))
    try await store.transact { transaction in
        let insertion = try await store.insert([second], in: transaction)
        #expect(insertion.turnedAway == [second.record.id])
        #expect(insertion.intents == [ExactText(intent): first.saga.record.id])
        try await store.reject([rejection], in: transaction)
    }
    try await end(first.saga.record, in: store)
    let insertion = try await insert([try newborn(key: key, intent: intent).saga], into: store)
    #expect(insertion.added.isEmpty)
    #expect(insertion.requests == [ExactText(key): rejection])
}

private func `one key is one start's, also when two come in one batch`<Store: SagaStore>(_ store: Store) async throws
where Store.Definition == PurchaseSaga {
    let key = "http:\(fresh(MessageID.self))"
    let (first, second) = (try newborn(key: key), try newborn(key: key, fingerprint: Data([4])))
    let error = await failure {
        try await store.transact {
            try await store.begin([first.saga, second.saga], [first.entry, second.entry], in: $0)
        }
    }
    #expect(error is DuplicateMessage)
    let insertion = try await insert([first.saga, second.saga], [first.entry], into: store)
    #expect(insertion.added == [first.saga.record.id])
    #expect(insertion.requests == [ExactText(key): try #require(first.saga.request)])
}

private func `what cannot be woken is put off alone`<Store: SagaStore>(_ store: Store) async throws
where Store.Definition == PurchaseSaga {
    let (first, second) = (try newborn().saga, try newborn().saga)
    _ = try await insert([first, second], into: store)
    let now = try await found(first.record.id, in: store).now
    // Longer due than anything that other promises left behind.
    let changes = [(first.record, -1_000_000_000.0), (second.record, -900_000_000)].map { record, seconds in
        var woken = record
        woken.wakeAt = now.addingTimeInterval(seconds)
        return SagaChange(from: record, to: woken)
    }
    try await store.transact { try await store.save(changes, [], in: $0) }
    #expect(try await store.putOff(after: .seconds(60), because: "it makes no sense"))
    let left = try #require(try await found(first.record.id, in: store).sagas[first.record.id])
    #expect(left.needsAttention == "it makes no sense")
    #expect(left.wakeAt.map { $0 > now.addingTimeInterval(30) } ?? false)
    let due = try await store.transact { try await store.due(1_000, in: $0) }
    #expect(due.sagas[first.record.id] == nil && due.sagas[second.record.id] != nil)
    try await end(left, in: store)
    let other = try #require(try await found(second.record.id, in: store).sagas[second.record.id])
    try await end(other, in: store)
}

private func `an intent is taken until the saga ends`<Store: SagaStore>(_ store: Store) async throws
where Store.Definition == PurchaseSaga {
    let intent = "\(fresh(EventID.self)):anna"
    let first = try newborn(intent: intent)
    let twin = try newborn(intent: intent)
    // Also when both come in one batch.
    let insertion = try await insert([first.saga, twin.saga], into: store)
    #expect(insertion.added == [first.saga.record.id])
    #expect(insertion.intents == [ExactText(intent): first.saga.record.id])
    try await end(first.saga.record, in: store)
    #expect(try await insert([twin.saga], into: store).added == [twin.saga.record.id])
}

private func end<Store: SagaStore>(_ record: SagaRecord<PurchaseSaga>, in store: Store) async throws
where Store.Definition == PurchaseSaga {
    var ended = record
    ended.state = .refused(.cancelled)
    ended.wakeAt = nil
    try await store.transact { [ended] in try await store.save([SagaChange(from: record, to: ended)], [], in: $0) }
}

private func `a message is journaled once by a saga, whatever other sagas took`<Store: SagaStore>(
    _ store: Store
) async throws where Store.Definition == PurchaseSaga {
    let (saga, entry) = try newborn()
    _ = try await insert([saga], [entry], into: store)
    let other = try newborn(message: entry.messageID)
    try await store.transact { try await store.begin([other.saga], [other.entry], in: $0) }
    let both = try await found(saga.record.id, [entry.key, other.entry.key], in: store).journal
    #expect(both[entry.key]?.sagaID == saga.record.id && both[other.entry.key]?.sagaID == other.saga.record.id)
    var record = saga.record
    record.version = 2
    let repeated = JournalEntry<PurchaseSaga>(
        sagaID: entry.sagaID, version: 2, messageID: entry.messageID, input: .released, from: "reserving",
        to: .charging, step: 2, effects: [], at: moment, traceparent: nil)
    let error = await failure { [record] in
        try await store.transact {
            try await store.save([SagaChange(from: saga.record, to: record)], [repeated], in: $0)
        }
    }
    #expect(error is DuplicateMessage)
    #expect(try await found(saga.record.id, in: store).sagas[saga.record.id]?.version == 1)
}

private func `sagas that nothing stands in the way of begin at once, or none does`<Store: SagaStore>(
    _ store: Store
) async throws where Store.Definition == PurchaseSaga {
    let intent = "\(fresh(EventID.self)):anna"
    let (first, second) = (try newborn(intent: intent), try newborn())
    let twin = try newborn(intent: intent)
    try await store.transact { try await store.begin([first.saga], [first.entry], in: $0) }
    #expect(try await found(first.saga.record.id, [first.entry.key], in: store).journal.count == 1)
    let error = await failure {
        try await store.transact {
            try await store.begin([second.saga, twin.saga], [second.entry, twin.entry], in: $0)
        }
    }
    #expect(error is DuplicateMessage)
    #expect(try await found(second.saga.record.id, in: store).sagas.isEmpty)
}

private func `what a process has stored last it can recall`<Store: SagaStore>(
    _ store: Store, _ other: Store
) async throws where Store.Definition == PurchaseSaga {
    let (saga, entry) = try newborn()
    let id = saga.record.id
    try await store.transact { try await store.begin([saga], [entry], in: $0) }
    #expect(store.recall([id])?[id]?.version == 1)
    #expect(store.recall([id, fresh()]) == nil)
    #expect(other.recall([id]) == nil)
    let change = step(on: saga.record)
    try await store.transact { try await store.save([change], [], in: $0) }
    #expect(store.recall([id])?[id]?.version == 2)
    try await end(change.after, in: store)
    #expect(store.recall([id]) == nil)
}

private func `a saga that somebody else moved on is not written`<Store: SagaStore>(
    _ store: Store, _ other: Store
) async throws where Store.Definition == PurchaseSaga {
    let (moved, untouched) = (try newborn(), try newborn())
    try await store.transact { transaction in
        try await store.begin([moved.saga, untouched.saga], [moved.entry, untouched.entry], in: transaction)
    }
    var asked = moved.saga.record
    asked.attempts = 1
    try await other.transact { [asked] in
        try await other.save([SagaChange(from: moved.saga.record, to: asked)], [], in: $0)
    }
    let changes = [moved, untouched].map { step(on: $0.saga.record) }
    let error = await failure { try await store.transact { try await store.save(changes, [], in: $0) } }
    #expect(error is DuplicateMessage)
    for id in changes.map(\.after.id) {
        #expect(try await found(id, in: store).sagas[id]?.version == 1)
        // For a while the store trusts nothing that it remembers.
        #expect(store.recall([id]) == nil)
    }
    let change = SagaChange(from: asked, to: step(on: asked).after)
    try await store.transact { try await store.save([change], [], in: $0) }
    #expect(try await found(asked.id, in: store).sagas[asked.id]?.version == 2)
}

private func step(on record: SagaRecord<PurchaseSaga>) -> SagaChange<PurchaseSaga> {
    var next = record
    next.version += 1
    next.attempts = 0
    return SagaChange(from: record, to: next)
}

private func `an open saga without a wake time is refused`<Store: SagaStore>(_ store: Store) async throws
where Store.Definition == PurchaseSaga {
    let (saga, _) = try newborn()
    _ = try await insert([saga], into: store)
    var record = saga.record
    record.wakeAt = nil
    let error = await failure { [record] in
        try await store.transact { try await store.save([SagaChange(from: saga.record, to: record)], [], in: $0) }
    }
    #expect((error as? PostgresError)?.code == .checkViolation)
}

private func `due sagas are taken by one at a time`<Store: SagaStore>(_ store: Store, _ other: Store) async throws
where Store.Definition == PurchaseSaga {
    let due = try newborn().saga
    let early = try newborn().saga
    _ = try await insert([due, early], into: store)
    let now = try await found(due.record.id, in: store).now
    let changes = [(due.record, -5.0), (early.record, 600)].map { record, seconds in
        var woken = record
        woken.wakeAt = now.addingTimeInterval(seconds)
        return SagaChange(from: record, to: woken)
    }
    try await store.transact { try await store.save(changes, [], in: $0) }
    try await store.transact { transaction in
        let taken = try await store.due(1_000, in: transaction)
        #expect(taken.sagas[due.record.id] != nil)
        #expect(taken.sagas[early.record.id] == nil)
        let left = try await other.transact { try await other.due(1_000, in: $0) }
        #expect(left.sagas[due.record.id] == nil)
    }
}
