import Contracts
import FleetRuntime

/// Sends dead letters back to their queues, or drops them, for operators, and writes down who did what.
struct DeadLetterDesk: Sendable {
    let file: DeadLetterFile
    let mailer: Mailer

    /// Publishes before it marks: a crash between repeats messages, whose readers know their ids.
    func replay(
        _ choice: DeadLetterChoice, by name: String, because reason: String?
    ) async throws -> DeadLetterOutcome {
        let letters = try await file.chosen(choice)
        guard !letters.isEmpty else { return DeadLetterOutcome(action: nil, letters: []) }
        let action = try await file.record(
            "replay", by: name, on: choice.subject, letters: letters.count, because: reason)
        try await mailer.send(letters.map(\.publication))
        try await file.markReplayed(letters, by: action)
        return DeadLetterOutcome(action: action, letters: letters.map(\.id))
    }

    func drop(_ choice: DeadLetterChoice, by name: String, because reason: String) async throws -> DeadLetterOutcome {
        let letters = try await file.chosen(choice).map(\.id)
        guard !letters.isEmpty else { return DeadLetterOutcome(action: nil, letters: []) }
        let action = try await file.record(
            "drop", by: name, on: choice.subject, letters: letters.count, because: reason)
        _ = try await file.drop(letters, by: action)
        return DeadLetterOutcome(action: action, letters: letters)
    }
}

/// Which letters an action has touched.
package struct DeadLetterOutcome: Codable, Sendable {
    package let action: ActionID?
    package let letters: [DeadLetterID]
}
