import Connections
import Contracts
import FleetRuntime
import FoundationEssentials
import SagaCore

/// One saga as it is stored.
package struct SagaRecord<Definition: SagaDefinition>: Sendable {
    package let id: SagaID
    /// Raised by one with each input that was taken.
    package var version: Int
    /// The version at which the saga entered its present state; message ids derive from it.
    package var step: Int
    package var state: Definition.State
    package var facts: Definition.Facts
    package let request: Definition.Request
    /// When the watchdog should look: never later than `dueAt`, often earlier, nil when there is nothing to wait for.
    package var wakeAt: Date?
    /// When the present step's answer is overdue.
    package var dueAt: Date
    package var attempts: Int
    /// Why an operator should look.
    package var needsAttention: String?
    package let traceparent: String?

    package init(
        id: SagaID, version: Int, step: Int, state: Definition.State, facts: Definition.Facts,
        request: Definition.Request, wakeAt: Date?, dueAt: Date, attempts: Int, needsAttention: String?,
        traceparent: String?
    ) {
        self.id = id
        self.version = version
        self.step = step
        self.state = state
        self.facts = facts
        self.request = request
        self.wakeAt = wakeAt
        self.dueAt = dueAt
        self.attempts = attempts
        self.needsAttention = needsAttention
        self.traceparent = traceparent
    }

    package func view(
        causedBy cause: MessageID?, at now: Date, after attempts: Int, _ patience: RetryPolicy
    ) -> SagaView<Definition> {
        SagaView(
            id: id, state: state, step: step, request: request, facts: facts, causationID: cause,
            traceparent: traceparent, now: now, attempts: attempts, stepTimeout: patience.stepTimeout.seconds)
    }
}

/// One line of a saga's history.
package struct JournalEntry<Definition: SagaDefinition>: Sendable {
    package let sagaID: SagaID
    package let version: Int
    package let messageID: MessageID
    package let input: Definition.Input
    /// The tag of the state before; nil for the first entry.
    package let from: String?
    package let to: Definition.State
    package let step: Int
    package let effects: [Definition.Effect]
    package let at: Date
    package let traceparent: String?

    package var key: JournalKey { JournalKey(sagaID, messageID) }

    package init(
        sagaID: SagaID, version: Int, messageID: MessageID, input: Definition.Input, from: String?,
        to: Definition.State, step: Int, effects: [Definition.Effect], at: Date, traceparent: String?
    ) {
        self.sagaID = sagaID
        self.version = version
        self.messageID = messageID
        self.input = input
        self.from = from
        self.to = to
        self.step = step
        self.effects = effects
        self.at = at
        self.traceparent = traceparent
    }
}

/// Something that happened to a saga, on its way to `step`.
package struct SagaEvent<Input: Sendable>: Sendable {
    package let sagaID: SagaID
    package let messageID: MessageID
    package let input: Input
    /// The step that a reply answers; nil for what is not a reply.
    package let answeredStep: Int?
    package let traceparent: String?

    var key: JournalKey { JournalKey(sagaID, messageID) }

    package init(sagaID: SagaID, messageID: MessageID, input: Input, answeredStep: Int?, traceparent: String?) {
        self.sagaID = sagaID
        self.messageID = messageID
        self.input = input
        self.answeredStep = answeredStep
        self.traceparent = traceparent
    }
}

/// How long sagas wait for answers.
package struct RetryPolicy: Sendable {
    package var stepTimeout: Duration
    package var attempts: Int
    package var backoffLimit: Duration = .seconds(600)

    package init(stepTimeout: Duration, attempts: Int) {
        self.stepTimeout = stepTimeout
        self.attempts = attempts
    }

    /// The wait before attempt `number`, counted from 0; doubled each time, with up to a tenth of jitter.
    func wait(before number: Int) -> TimeInterval {
        let doubled = stepTimeout * (1 << min(number, 10))
        return min(doubled, max(backoffLimit, stepTimeout)).seconds * RuntimeEnvironment.random(in: 1...1.1)
    }
}
