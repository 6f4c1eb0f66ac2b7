import Contracts
import FoundationEssentials
import SagaCore

/// The system of record of one kind of saga: rows under lock, and the journal.
package protocol SagaStore<Definition, Transaction>: Sendable {
    associatedtype Definition: SagaDefinition
    associatedtype Transaction: Sendable

    func transact<R: Sendable>(_ body: (Transaction) async throws -> R) async throws -> R
    /// Locks sagas in the order of their ids, and finds what the journal knows of the messages.
    func lock(_ sagas: [SagaID], _ messages: [MessageID], in transaction: Transaction) async throws
        -> LockedSagas<Definition>
    /// These sagas as this process has stored them last, without a lock; nil unless it remembers every one.
    ///
    /// Somebody else may have moved one of them on meanwhile: `save` finds out.
    func recall(_ sagas: [SagaID]) -> [SagaID: SagaRecord<Definition>]?
    /// Adds new sagas with their first journal lines, and commits.
    /// - Throws: `ConcurrentRepeat`, and nothing has happened, when something stands in the way of one of them.
    func begin(
        _ sagas: [NewSaga<Definition>], _ journal: [JournalEntry<Definition>], in transaction: Transaction
    ) async throws
    /// Adds new sagas; those whose start key or intent is taken are left out, and what stands in their way is reported.
    func insert(_ sagas: [NewSaga<Definition>], in transaction: Transaction) async throws -> SagaInsertion
    /// Writes changed sagas and new journal lines, and commits.
    /// - Throws: `ConcurrentRepeat` when somebody else moved one of the sagas on or journaled one of the messages first.
    func save(
        _ changes: [SagaChange<Definition>], _ journal: [JournalEntry<Definition>], in transaction: Transaction
    ) async throws
    /// Those of the start keys that a saga has.
    func knownKeys(_ keys: [String]) async throws -> Set<String>
    /// Locks sagas whose wake-up time has passed, skipping those that others hold.
    func due(_ limit: Int, in transaction: Transaction) async throws -> LockedSagas<Definition>
}

/// Sagas under lock, with the database's clock.
package struct LockedSagas<Definition: SagaDefinition>: Sendable {
    package var sagas: [SagaID: SagaRecord<Definition>]
    package var journal: [MessageID: JournalEntry<Definition>]
    package var now: Date

    package init(
        sagas: [SagaID: SagaRecord<Definition>], journal: [MessageID: JournalEntry<Definition>], now: Date
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
    /// The idempotency key of the start, for ever; nil for a start without one.
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
}

/// What became of new sagas.
///
/// A saga may be left out and yet nothing stand in its way: what did has ended between two looks.
package struct SagaInsertion: Sendable {
    package let added: Set<SagaID>
    package let conflicts: [StartConflict]

    package init(added: Set<SagaID>, conflicts: [StartConflict]) {
        self.added = added
        self.conflicts = conflicts
    }
}

/// A saga that stands where a new one wanted to begin.
package struct StartConflict: Sendable {
    package let existing: SagaID
    package let key: String?
    package let fingerprint: Data
    package let intent: String?

    package init(existing: SagaID, key: String?, fingerprint: Data, intent: String?) {
        self.existing = existing
        self.key = key
        self.fingerprint = fingerprint
        self.intent = intent
    }
}
