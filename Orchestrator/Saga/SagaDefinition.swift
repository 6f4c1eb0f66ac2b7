import Contracts
import FoundationEssentials

/// What a step decides: where the saga goes and what must be done about it.
package enum Step<State: Sendable & Equatable, Effect: Sendable & Equatable>: Sendable, Equatable {
    case move(to: State, then: [Effect])
    case stay(then: [Effect])
    case ignore(IgnoreReason)
}

/// Why an input changes nothing.
package enum IgnoreReason: String, Sendable, CaseIterable {
    /// It says again what the saga already knows.
    case duplicate
    /// It was true once, and the saga has gone on since.
    case late
    /// No correct fleet sends it in this state; counted and logged as a fault.
    case impossible
}

/// A saga kind: a pure state machine, what it remembers, and how both meet the wire.
///
/// Runner, store, journal and watchdog know only this; a new kind of saga is a new conformance.
package protocol SagaDefinition: Sendable {
    associatedtype State: SagaState
    associatedtype Input: SagaInput
    associatedtype Effect: SagaEffect
    /// What was asked for; never changes.
    associatedtype Request: Codable & Sendable & Equatable
    /// What the saga learnt on its way.
    associatedtype Facts: Codable & Sendable & Equatable

    /// The saga kind's name in the database.
    static var kind: String { get }
    static var noFacts: Facts { get }

    /// Decides where a saga goes; nil is the state before its first input.
    static func step(_ state: State?, on input: Input) -> Step<State, Effect>
    /// What the input teaches, whenever a step was taken on it.
    static func learn(_ input: Input, into facts: inout Facts)
    /// The names of the inputs that only teach: `step` decides without looking at what they carry.
    static var lessons: [String] { get }
    /// The same request, to be answered as its repeat wants to be answered.
    static func request(_ request: Request, answeredAs repeated: Request) -> Request
    /// How long the saga asks again in a state, and what happens after that.
    static func patience(in state: State, knowing facts: Facts) -> TimeoutPolicy<Input>
    /// The input that says that an answer is overdue.
    static var overdue: Input { get }
    /// Reads a message as an input; throws when its body does not fit its kind.
    static func input(from envelope: Envelope) throws -> Input?
    /// Writes the messages that carry out an effect.
    static func messages(for effect: Effect, of saga: SagaView<Self>) throws -> [OutgoingMessage]
}

/// A saga's state: one enum whose tag is stored beside its payload.
package protocol SagaState: Codable, Sendable, Hashable {
    /// The name of the case, as the database and the outside know it.
    var tag: String { get }
    /// The tags of the states in which a saga is open, in the order of its way.
    static var openTags: [String] { get }
    /// The tags of the states in which it has ended.
    static var endTags: [String] { get }
    /// Nil while the saga is open, else the tag of its outcome.
    var outcome: String? { get }
    /// Why the saga ended or is ending, when there is a reason.
    var reason: String? { get }
}

package protocol SagaInput: Codable, Sendable, Equatable {
    var name: String { get }
    /// Whether it ends the wait of a finished saga for its last answer.
    var isSettling: Bool { get }
}

package protocol SagaEffect: Sendable, Equatable {
    var name: String { get }
    init?(name: String)
    /// Whether it tells the outside what happened, and so must not be lost even when the saga has gone on.
    var isAnnouncement: Bool { get }
}

/// What an effect may look at when it becomes messages.
package struct SagaView<Definition: SagaDefinition>: Sendable {
    package let id: SagaID
    package let state: Definition.State
    /// The version at which the saga entered its present state.
    package let step: Int
    package let request: Definition.Request
    package let facts: Definition.Facts
    package let causationID: MessageID?
    package let traceparent: String?
    package let now: Date
    /// How often the answer to the step that the effect begins, repeats or ends has been asked for again.
    package let attempts: Int
    /// How long that answer is waited for at first, in seconds.
    package let stepTimeout: TimeInterval

    package init(
        id: SagaID, state: Definition.State, step: Int, request: Definition.Request, facts: Definition.Facts,
        causationID: MessageID?, traceparent: String?, now: Date, attempts: Int, stepTimeout: TimeInterval
    ) {
        self.id = id
        self.state = state
        self.step = step
        self.request = request
        self.facts = facts
        self.causationID = causationID
        self.traceparent = traceparent
        self.now = now
        self.attempts = attempts
        self.stepTimeout = stepTimeout
    }
}
