import Contracts
import FoundationEssentials
import SagaCore

/// What an event did to a saga.
package enum Advance<Definition: SagaDefinition>: Sendable {
    /// The saga took it; the journal has a new line and its effects must be carried out.
    case taken(JournalEntry<Definition>)
    case ignored(IgnoreReason)
}

extension SagaRecord {
    /// Takes the step that the event calls for and sets the clock for the next answer.
    package mutating func take(
        _ event: SagaEvent<Definition.Input>, at now: Date, patience: RetryPolicy
    ) -> Advance<Definition> {
        if event.input.isSettling && event.answeredStep != step { return .ignored(.late) }
        switch Definition.step(state, on: event.input) {
        case .ignore(let reason): return .ignored(reason)
        case .stay(let effects): return .taken(note(event, state, effects, at: now, patience))
        case .move(let next, let effects): return .taken(note(event, next, effects, at: now, patience))
        }
    }

    /// The record of a saga that takes its first step, and that step; nil when the definition refuses to start.
    package static func starting(
        _ id: SagaID, by event: SagaEvent<Definition.Input>, request: Definition.Request, at now: Date,
        patience: RetryPolicy
    ) -> (SagaRecord, JournalEntry<Definition>)? {
        guard case .move(let state, let effects) = Definition.step(nil, on: event.input) else { return nil }
        var record = SagaRecord(
            id: id, version: 0, step: 1, state: state, facts: Definition.noFacts, request: request, wakeAt: nil,
            dueAt: now, attempts: 0, needsAttention: nil, traceparent: event.traceparent)
        let entry = record.note(event, state, effects, from: nil, at: now, patience)
        return (record, entry)
    }

    private mutating func note(
        _ event: SagaEvent<Definition.Input>, _ next: Definition.State, _ effects: [Definition.Effect],
        at now: Date, _ patience: RetryPolicy
    ) -> JournalEntry<Definition> {
        note(event, next, effects, from: state.tag, at: now, patience)
    }

    private mutating func note(
        _ event: SagaEvent<Definition.Input>, _ next: Definition.State, _ effects: [Definition.Effect],
        from tag: String?, at now: Date, _ patience: RetryPolicy
    ) -> JournalEntry<Definition> {
        version += 1
        if let tag, next.tag != tag { step = version }
        state = next
        Definition.learn(event.input, into: &facts)
        attempts = 0
        needsAttention = nil
        setClock(now, patience)
        if state.outcome != nil && event.input.isSettling { wakeAt = nil }
        return JournalEntry(
            sagaID: id, version: version, messageID: event.messageID, input: event.input, from: tag, to: next,
            step: step, effects: effects, at: now, traceparent: event.traceparent ?? traceparent)
    }

    /// Sets when the present step is overdue.
    ///
    /// An earlier wake-up stays: coming early costs the watchdog one look,
    /// moving it would cost an index entry at every step.
    private mutating func setClock(_ now: Date, _ patience: RetryPolicy) {
        dueAt = now.addingTimeInterval(patience.wait(before: attempts))
        if case .until(let deadline, _) = Definition.patience(in: state, knowing: facts) {
            dueAt = min(dueAt, max(deadline, now))
        }
        wakeAt = wakeAt.map { min($0, dueAt) } ?? dueAt
    }
}
