import Contracts
import FoundationEssentials
import SagaCore

/// What the watchdog does about a saga whose time has come.
package enum Wake<Definition: SagaDefinition>: Sendable {
    /// It looked too early.
    case tooEarly
    /// The answer is overdue: these effects go out again, with the message ids they had.
    case redriven([Definition.Effect])
    /// Asking again is over; the saga took this step instead.
    case moved(JournalEntry<Definition>)
}

extension SagaRecord {
    /// Decides what a wake-up means and sets the next one.
    package mutating func wake(at now: Date, patience: RetryPolicy) -> Wake<Definition> {
        guard dueAt <= now else {
            wakeAt = dueAt
            return .tooEarly
        }
        wakeAt = nil
        switch Definition.patience(in: state, knowing: facts) {
        case .attempts(let input) where attempts >= patience.attempts:
            return giveUp(with: input, at: now, patience)
        case .until(let deadline, let input) where now >= deadline:
            return giveUp(with: input, at: now, patience)
        case .endless where attempts >= patience.attempts:
            needsAttention = "no answer in state \(state.tag) after \(attempts) attempts"
            return redrive(at: now, patience, until: nil)
        case .attempts, .endless:
            return redrive(at: now, patience, until: nil)
        case .until(let deadline, _):
            return redrive(at: now, patience, until: deadline)
        }
    }

    private mutating func giveUp(
        with input: Definition.Input, at now: Date, _ patience: RetryPolicy
    ) -> Wake<Definition> {
        let event = SagaEvent(
            sagaID: id, messageID: .derived(from: id.uuid, "watchdog.\(version).\(input.name)"), input: input,
            answeredStep: nil, traceparent: traceparent)
        switch take(event, at: now, patience: patience) {
        case .taken(let entry): return .moved(entry)
        case .ignored: return redrive(at: now, patience, until: nil)
        }
    }

    private mutating func redrive(at now: Date, _ patience: RetryPolicy, until deadline: Date?) -> Wake<Definition> {
        attempts += 1
        dueAt = now.addingTimeInterval(patience.wait(before: attempts))
        if let deadline { dueAt = min(dueAt, deadline) }
        wakeAt = dueAt
        guard case .stay(let effects) = Definition.step(state, on: Definition.overdue) else { return .redriven([]) }
        return .redriven(effects)
    }
}
