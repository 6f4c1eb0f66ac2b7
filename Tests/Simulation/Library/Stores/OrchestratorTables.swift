import Contracts
import Engine
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Operations
import OrchestratorService
import Postgres
import SagaCore

/// The schema `orchestrator` in memory.
package struct OrchestratorTables<Definition: PurchaseDefinition>: Sendable {
    package struct Saga: Sendable {
        package var record: SagaRecord<Definition>
        package let claim: StartClaim
        /// What no other open saga may be about; nil once this one has ended.
        package var intent: String?
    }

    package struct Event: Sendable {
        package let event: PublishEvent
        package let key: String?
        package let fingerprint: Data
        package let createdAt: Date
        package var isStocked = false
        package var placesDueAt: Date?
    }

    package struct RenderedMessage: Sendable {
        package let message: OutgoingMessage
        package var claimedUntil: Date
    }

    package struct Undelivered: Sendable {
        package let answer: DueAnswer
        package let since: Date
        package var reason: NonDelivery
        package var dueAt: Date?
    }

    package var sagas: [SagaID: Saga] = [:]
    /// Requests by the ids that their senders chose.
    package var requests: [String: RequestRecord] = [:]
    package var sagaOfIntent: [String: SagaID] = [:]
    package var journal: [SagaID: [JournalEntry<Definition>]] = [:]
    package var entries: [JournalKey: JournalEntry<Definition>] = [:]
    package var events: [EventID: Event] = [:]
    package var outbox: [MessageID: RenderedMessage] = [:]
    /// By queue and message id.
    package var undelivered: [String: Undelivered] = [:]

    package init() {}

    /// `ON CONFLICT DO NOTHING`; whether the request was added.
    mutating func add(_ request: RequestRecord) -> Bool {
        guard requests[request.key] == nil else { return false }
        requests[request.key] = request
        return true
    }

    /// `ON CONFLICT DO NOTHING`; whether the saga was added.
    mutating func add(_ saga: NewSaga<Definition>) -> Bool {
        let id = saga.record.id
        guard sagas[id] == nil, saga.claim.intent.map({ sagaOfIntent[$0] == nil }) ?? true else { return false }
        sagas[id] = Saga(record: saga.record, claim: saga.claim, intent: saga.claim.intent)
        if let intent = saga.claim.intent { sagaOfIntent[intent] = id }
        return true
    }

    /// - Throws: `DuplicateMessage` when the row is not any more as it was read.
    mutating func update(_ change: SagaChange<Definition>) throws {
        let (read, row) = (change.before, sagas[change.after.id]?.record)
        guard row?.version == read.version, row?.attempts == read.attempts else { throw DuplicateMessage() }
        try update(change.after)
    }

    mutating func update(_ record: SagaRecord<Definition>) throws {
        guard record.state.outcome != nil || record.wakeAt != nil else {
            throw MemoryDatabase<Self>.failure(.checkViolation, "saga", constraint: "saga_open_has_a_wake_time")
        }
        guard var saga = sagas[record.id] else { return }
        saga.record = record
        if record.state.outcome != nil, let intent = saga.intent {
            sagaOfIntent[intent] = nil
            saga.intent = nil
        }
        sagas[record.id] = saga
    }

    mutating func append(_ entry: JournalEntry<Definition>) throws {
        let history = journal[entry.sagaID, default: []]
        guard !history.contains(where: { $0.version == entry.version }) else {
            throw MemoryDatabase<Self>.failure(.uniqueViolation, "saga_step", constraint: "saga_step_pkey")
        }
        journal[entry.sagaID] = history + [entry]
        entries[entry.key] = entry
    }
}
