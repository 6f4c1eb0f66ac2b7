import Contracts
import FleetRuntime
import Foundation
import Logging
import RabbitMQ
import ServiceLifecycle
import Topology

/// A lane on scripted ports, from its first batch to its last.
enum LaneRun {
    /// Runs a lane over the batches until it waits for more, then stops it gracefully.
    static func run(
        _ batches: [[Delivery]], outlet: ScriptedOutlet, attempts: Int = 5, on executor: (any TaskExecutor)? = nil,
        _ decide: @escaping @Sendable ([Envelope]) throws -> [Outcome]
    ) async throws -> ScriptedInlet {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        let inlet = ScriptedInlet(batches) { continuation.yield() }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let health = HealthRegistry()
        let lane = BatchConsumer(
            queue: Queue("test"), inlet: inlet,
            messagePublisher: MessagePublisher(outlet: outlet, application: "test", health: health, logger: logger),
            handler: ScriptedHandler(decide: decide), on: executor, limits: .init(batch: 500, attempts: attempts),
            health: health,
            logger: logger)
        let group = ServiceGroup(configuration: .init(services: [lane], logger: logger))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            for await _ in stream { break }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        return inlet
    }

    static func reply(to envelope: Envelope) throws -> Outcome {
        .reply([
            OutgoingMessage(
                try Envelope(
                    id: .derived(from: envelope.id.uuid, "reply"), SeatsReleased(), sagaID: envelope.sagaID, step: 1,
                    causationID: envelope.id, occurredAt: Date()),
                to: .orchestrator)
        ])
    }
}
