import Contracts
import FleetRuntime
import Foundation
import Logging
import RabbitMQ
import Synchronization
import TestKit
import Testing

/// What a messagePublisher does when the broker does not take everything.
@Suite(.timeLimit(.minutes(1))) struct `A messagePublisher` {
    /// A broker for which one message cannot be written, and that refuses the first of the others once.
    private final class Broker: Outlet {
        private let bad: String
        private let seen = Mutex<[[String?]]>([])

        init(bad: String) { self.bad = bad }

        var published: [[String?]] { seen.withLock { $0 } }

        func open() async throws {}
        func close() async {}

        func publish(_ batch: [Publication]) async throws -> [Refusal] {
            let isFirst = seen.withLock { seen in
                seen.append(batch.map(\.properties.messageID))
                return seen.count == 1
            }
            let unwritable = batch.indices.filter { batch[$0].properties.messageID == bad }
                .map { Refusal(index: $0, reason: .returned(code: 311, text: "too long")) }
            return (isFirst ? [Refusal(index: 0, reason: .nacked)] : []) + unwritable
        }
    }

    @Test func `leaves out what can never be written, and says so`() async throws {
        let messages = try (0..<3).map { _ in
            OutgoingMessage(
                try Envelope(
                    id: .make(), SeatsReleased(), sagaID: .make(), step: 1, causationID: nil, occurredAt: Date()),
                to: .orchestrator)
        }
        let ids = messages.map(\.envelope.id.description)
        let lines = LogLines()
        let broker = Broker(bad: ids[1])
        let messagePublisher = MessagePublisher(
            outlet: broker, application: "test", health: HealthRegistry(), logger: lines.logger)
        try await messagePublisher.send(messages)
        #expect(broker.published == [ids, [ids[0]]], "what was refused for now goes out again, alone")
        #expect(lines.all.contains { $0.contains("left out") && $0.contains(ids[1]) })
    }
}
