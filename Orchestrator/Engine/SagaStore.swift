import Contracts
import FleetStorage
import FoundationEssentials
import Postgres
import SagaCore

/// The system of record of one kind of saga: rows under lock, and the journal.
package protocol SagaStore<Definition, Transaction>: Sendable {
    associatedtype Definition: SagaDefinition
    associatedtype Transaction: Sendable

    func transact<R: Sendable>(_ body: (Transaction) async throws -> R) async throws -> R
    /// Locks sagas in the order of their ids, and finds what the journal knows of the messages.
    func lock(_ sagas: [SagaID], _ messages: [JournalKey], in transaction: Transaction) async throws
        -> LockedSagas<Definition>
    /// These sagas as this process has stored them last, without a lock; nil unless it remembers every one.
    ///
    /// Somebody else may have moved one of them on meanwhile: `save` finds out.
    func recall(_ sagas: [SagaID]) -> [SagaID: SagaRecord<Definition>]?
    /// Adds new sagas with their first journal lines, and commits.
    /// - Throws: `DuplicateMessage`, and nothing has happened, when something stands in the way of one of them.
    func begin(
        _ sagas: [NewSaga<Definition>], _ journal: [JournalEntry<Definition>], in transaction: Transaction
    ) async throws
    /// Adds new sagas, and records their starts; those whose key or intent is taken are left out, and what stands in
    /// their way is reported.
    func insert(_ sagas: [NewSaga<Definition>], in transaction: Transaction) async throws -> SagaInsertion
    /// Records that starts which hold their keys, but whose sagas were left out, are rejected.
    func reject(_ starts: [RequestRecord], in transaction: Transaction) async throws
    /// Writes changed sagas and new journal lines, and commits.
    /// - Throws: `DuplicateMessage` when somebody else moved one of the sagas on or journaled one of its messages first.
    func save(
        _ changes: [SagaChange<Definition>], _ journal: [JournalEntry<Definition>], in transaction: Transaction
    ) async throws
    /// Locks sagas whose wake-up time has passed, skipping those that others hold.
    func due(_ limit: Int, in transaction: Transaction) async throws -> LockedSagas<Definition>
    /// Wakes the saga that has been due longest only after a pause, and calls an operator to it; whether there was one.
    func putOff(after pause: Duration, because reason: String) async throws -> Bool
}

/// Names a message to one saga: what one saga was sent says nothing of another's messages.
package struct JournalKey: Hashable, Sendable {
    package let saga: SagaID
    package let message: MessageID

    package init(_ saga: SagaID, _ message: MessageID) {
        self.saga = saga
        self.message = message
    }
}

/// Sagas under lock, with the database's clock.
package struct LockedSagas<Definition: SagaDefinition>: Sendable {
    package var sagas: [SagaID: SagaRecord<Definition>]
    package var journal: [JournalKey: JournalEntry<Definition>]
    package var now: Date

    package init(
        sagas: [SagaID: SagaRecord<Definition>], journal: [JournalKey: JournalEntry<Definition>], now: Date
    ) {
        self.sagas = sagas
        self.journal = journal
        self.now = now
    }
}

/// A saga as it was read, and as it is to be stored.
package struct SagaChange<Definition: SagaDefinition>: Sendable {
    package let before: SagaRecord<Definition>
    package let after: SagaRecord<Definition>

    package init(from before: SagaRecord<Definition>, to after: SagaRecord<Definition>) {
        self.before = before
        self.after = after
    }
}

/// A saga about to begin.
package struct NewSaga<Definition: SagaDefinition>: Sendable {
    package let record: SagaRecord<Definition>
    package let claim: StartClaim

    package init(record: SagaRecord<Definition>, claim: StartClaim) {
        self.record = record
        self.claim = claim
    }
}

/// What only one saga at a time may have, and what it is looked up by.
package struct StartClaim: Sendable, Equatable {
    /// The id that the sender chose for the start, in the record of requests for ever; nil for a start without one.
    package let key: String?
    /// The hash of what was asked under the key.
    package let fingerprint: Data
    /// What no other open saga may be about.
    package let intent: String?
    package let eventID: EventID?
    package let userID: String?

    package init(key: String?, fingerprint: Data, intent: String?, eventID: EventID?, userID: String?) {
        self.key = key
        self.fingerprint = fingerprint
        self.intent = intent
        self.eventID = eventID
        self.userID = userID
    }

    /// What the record of requests says of a start under its key; nil for a start without one.
    package func record(of saga: SagaID?, _ answer: RequestRecord.Answer) -> RequestRecord? {
        key.map {
            RequestRecord(
                key: $0, kind: .purchaseStart, fingerprint: fingerprint, subject: saga?.uuid, answer: answer)
        }
    }
}

extension NewSaga {
    /// What the record of requests says of its start.
    package var request: RequestRecord? { claim.record(of: record.id, .accepted) }
}

/// What became of new sagas.
///
/// A saga may be left out and yet nothing stand in its way: what did has ended between two looks.
package struct SagaInsertion: Sendable {
    package let added: Set<SagaID>
    /// Those that were left out although their keys are theirs.
    package let turnedAway: Set<SagaID>
    /// What is recorded under the keys of those that were left out.
    package let requests: [ExactText: RequestRecord]
    /// The open sagas that are about what those wanted that were left out.
    package let intents: [ExactText: SagaID]

    package init(
        added: Set<SagaID>, turnedAway: Set<SagaID> = [], requests: [ExactText: RequestRecord] = [:],
        intents: [ExactText: SagaID] = [:]
    ) {
        self.added = added
        self.turnedAway = turnedAway
        self.requests = requests
        self.intents = intents
    }
}
