import Contracts
import FleetRuntime
import Foundation
import Logging
import RabbitMQ
import Testing

/// What a mailer does when the broker does not take everything.
@Suite(.timeLimit(.minutes(1))) struct `A mailer` {
    /// A broker for which one message cannot be written.
    private struct Broker: Outlet {
        let bad: String

        func open() async throws {}
        func close() async {}

        func publish(_ batch: [Publication]) async throws -> [Refusal] {
            batch.indices.filter { batch[$0].properties.messageID == bad }
                .map { Refusal(index: $0, reason: .returned(code: 311, text: "too long")) }
        }
    }

    @Test func `leaves out what can never be written, and says so`() async throws {
        let messages = try (0..<3).map { _ in
            OutgoingMessage(
                try Envelope(
                    id: .make(), SeatsReleased(), sagaID: .make(), step: 1, causationID: nil, occurredAt: Date()),
                to: .orchestrator)
        }
        let mailer = Mailer(
            outlet: Broker(bad: messages[1].envelope.id.description), application: "test", health: HealthBoard(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await mailer.send(messages)
    }
}
