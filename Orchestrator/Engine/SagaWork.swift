import Contracts
import FoundationEssentials
import SagaCore

/// A batch of events being applied to sagas, in memory.
struct SagaWork<Definition: SagaDefinition> {
    private let before: [SagaID: SagaRecord<Definition>]
    private var sagas: [SagaID: SagaRecord<Definition>]
    private var known: [JournalKey: JournalEntry<Definition>]
    private let now: Date
    private var touched: [SagaID] = []
    private(set) var journal: [JournalEntry<Definition>] = []

    init(_ locked: LockedSagas<Definition>) {
        before = locked.sagas
        sagas = locked.sagas
        known = locked.journal
        now = locked.now
    }

    /// In the order in which rows are locked.
    var changes: [SagaChange<Definition>] {
        Set(touched).sorted().compactMap { id in
            guard let before = before[id], let after = sagas[id] else { return nil }
            return SagaChange(from: before, to: after)
        }
    }

    mutating func apply(_ event: SagaEvent<Definition.Input>, patience: RetryPolicy) throws -> SagaResult<Definition> {
        guard var saga = sagas[event.sagaID] else { return .unknownSaga }
        if let entry = known[event.key] {
            return .repeated(saga, try saga.repeats(of: entry, at: now, patience))
        }
        let attempts = saga.attempts
        switch saga.take(event, at: now, patience: patience) {
        case .ignored(let reason): return .ignored(reason, in: saga.state)
        case .taken(let entry):
            sagas[saga.id] = saga
            known[event.key] = entry
            touched.append(saga.id)
            journal.append(entry)
            let messages = try saga.messages(
                entry.effects, causedBy: event.messageID, at: now, after: attempts, patience)
            return .taken(saga, messages)
        }
    }
}

extension SagaRecord {
    /// A start that came again is told where it asks now that it was accepted, and the outcome if there is one.
    func repeats(
        ofStart entry: JournalEntry<Definition>, answeredAs repeated: Definition.Request, at now: Date,
        _ patience: RetryPolicy
    ) throws -> [OutgoingMessage] {
        let asker = answered(as: repeated)
        let first = try asker.repeats(of: entry, at: now, patience)
        guard state.outcome != nil, case .stay(let effects) = Definition.step(state, on: Definition.overdue) else {
            return first
        }
        let outcome = try asker.messages(
            effects.filter(\.isAnnouncement), causedBy: entry.messageID, at: now, after: 0, patience)
        return first + outcome.filter { if case .upstream = $0.destination { true } else { false } }
    }

    private func answered(as repeated: Definition.Request) -> SagaRecord {
        SagaRecord(
            id: id, version: version, step: step, state: state, facts: facts,
            request: Definition.request(request, answeredAs: repeated), wakeAt: wakeAt, dueAt: dueAt,
            attempts: attempts, needsAttention: needsAttention, traceparent: traceparent)
    }

    /// The input that led to the present state sends all its effects again.
    ///
    /// Of an older one, only what it told the
    /// outside is repeated: its commands have been answered, or the saga would not have gone on.
    func repeats(
        of entry: JournalEntry<Definition>, at now: Date, _ patience: RetryPolicy
    ) throws -> [OutgoingMessage] {
        let effects = entry.version == version ? entry.effects : entry.effects.filter(\.isAnnouncement)
        var then = self
        then.state = entry.to
        then.step = entry.step
        return try then.messages(effects, causedBy: entry.messageID, at: now, after: attempts, patience)
    }
}
