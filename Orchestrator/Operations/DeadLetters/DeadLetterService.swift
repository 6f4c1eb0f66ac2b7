import Audit
import Contracts
import FleetRuntime

/// Sends dead letters back to their queues, drops them, or brings dropped ones back, for operators, and writes down who
/// did what.
package struct DeadLetterService: Sendable {
    package let file: DeadLetterStore
    let messagePublisher: MessagePublisher

    package init(file: DeadLetterStore, messagePublisher: MessagePublisher) {
        self.file = file
        self.messagePublisher = messagePublisher
    }

    /// Publishes before it marks: a crash between repeats messages, whose readers know their ids.
    package func replay(
        _ choice: DeadLetterChoice, by visit: OperatorVisit, because reason: String?
    ) async throws -> DeadLetterOutcome {
        let letters = try await file.chosen(choice)
        guard !letters.isEmpty else { return nothing(visit) }
        let action = try await visit.willDo(
            NewAction(word: "replay", subject: choice.subject, letters: letters.count, reason: reason))
        try await messagePublisher.send(letters.map(\.publication))
        try await file.markReplayed(letters, by: action)
        return DeadLetterOutcome(action: action, letters: letters.map(\.id))
    }

    package func drop(
        _ choice: DeadLetterChoice, by visit: OperatorVisit, because reason: String
    ) async throws -> DeadLetterOutcome {
        try await change(choice, "drop", by: visit, because: reason) { try await file.drop($0, by: $1) }
    }

    /// Brings dropped letters back onto the list of what waits.
    package func restore(
        _ choice: DeadLetterChoice, by visit: OperatorVisit, because reason: String?
    ) async throws -> DeadLetterOutcome {
        try await change(choice, "restore", by: visit, because: reason) { try await file.restore($0, by: $1) }
    }

    private func change(
        _ choice: DeadLetterChoice, _ word: String, by visit: OperatorVisit, because reason: String?,
        _ work: ([DeadLetterID], ActionID) async throws -> [DeadLetterID]
    ) async throws -> DeadLetterOutcome {
        let letters = try await file.chosen(choice).map(\.id)
        guard !letters.isEmpty else { return nothing(visit) }
        let action = try await visit.willDo(
            NewAction(word: word, subject: choice.subject, letters: letters.count, reason: reason))
        return DeadLetterOutcome(action: action, letters: try await work(letters, action))
    }

    private func nothing(_ visit: OperatorVisit) -> DeadLetterOutcome {
        visit.didNothing()
        return DeadLetterOutcome(action: nil, letters: [])
    }
}

/// Which letters an action has touched.
package struct DeadLetterOutcome: Codable, Sendable {
    package let action: ActionID?
    package let letters: [DeadLetterID]
}
