import Contracts
import FleetInspection
import FoundationEssentials

/// The fleet on one screen; a part whose server does not answer is nil, and a fault says why.
package struct StatusAnswer: Codable, Sendable {
    package struct Component: Codable, Sendable {
        package let name: String
        package let status: String
        package let since: Date?
    }

    /// When the question was answered.
    package let at: Date
    /// When sagas, holds and dead letters were counted.
    package let countedAt: Date?
    /// All that is wrong, the gravest first.
    package let faults: [FleetFault]
    /// Every role that must be played.
    package let roles: [RoleReading]
    /// The parts of the orchestrator that answers.
    package let components: [Component]
    /// Live processes by what they are; nil while Redis does not answer.
    package let processes: [String: Int]?
    package let openSagas: [String: Int]?
    package let oldestOpenSaga: SagaID?
    package let oldestOpenSince: Date?
    package let needingAttention: Int?
    package let activeHolds: Int?
    package let deadLetters: Int?
    /// Answers that their upstream systems' queues do not take.
    package let undelivered: Int?
    package let queues: [QueueReading]?
}

/// What the broker holds, or why nobody knows.
package struct QueuesAnswer: Codable, Sendable {
    package let queues: [QueueReading]
    package let faults: [FleetFault]
}

/// The next timers to ring.
package struct TimerReading: Codable, Sendable {
    package let sagaId: SagaID
    package let subject: String
    package let dueAt: Date
}
