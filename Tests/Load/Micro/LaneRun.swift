import Connections
import Contracts
import FleetRuntime
import FoundationEssentials
import Logging
import RabbitMQ
import Simulation
import Synchronization
import Topology
import WireJSON

/// The pipeline around a handler that answers at once: reading, deciding, writing, confirming, acknowledging.
enum LaneRun {
    private static let batch = 500

    /// One repetition is one full batch.
    ///
    /// Everything runs on this thread: so the count is the same every time, and tools that cannot follow the threads of
    /// the concurrency library can count it.
    static func run(_ count: Int) throws {
        let (inlet, outlet) = (Inflow(try deliveries(), times: count), Outflow())
        let lane = lane(from: inlet, to: outlet)
        let executor = TurnExecutor()
        executor.claim()
        let running = RuntimeEnvironment.$simulated.withValue(Stillness(executor: executor)) {
            Task(executorPreference: executor) { try await lane.run() }
        }
        executor.runReady()
        running.cancel()
        executor.runReady()
        guard outlet.count == count * batch, inlet.isSettled else { throw WentWrong() }
    }

    private static func lane(from inlet: Inflow, to outlet: Outflow) -> BatchConsumer {
        let logger = Logger(label: "micro") { _ in SwiftLogNoOpLogHandler() }
        let health = HealthRegistry()
        return BatchConsumer(
            queue: Queue("micro"), inlet: inlet,
            messagePublisher: MessagePublisher(outlet: outlet, application: "micro", health: health, logger: logger),
            handler: Answering(), limits: .init(batch: batch), health: health, logger: logger)
    }

    private static func deliveries() throws -> [Delivery] {
        try (1...UInt64(batch)).map { tag in
            Delivery(
                tag: tag, isRedelivered: false, exchange: "turnstile.commands", routingKey: "micro",
                properties: Properties(
                    messageID: MessageID.make().description, correlationID: SagaID.make().description,
                    type: ReleaseSeats.kind.rawValue, contentType: "application/json", timestamp: 1_900_000_000,
                    headers: [
                        "step": .integer(3), "causation-id": .string(MessageID.make().description),
                        "traceparent": .string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
                    ]),
                body: try WireFormat.encode(ReleaseSeats(reason: "expired")))
        }
    }
}

/// A world in which no time passes.
private struct Stillness: Surroundings {
    let executor: any TaskExecutor
    let date = Date(timeIntervalSince1970: 1_900_000_000)
    let instant = ContinuousClock.now

    func sleep(for pause: Duration) async throws {}
    func random() -> UInt64 { 4 }
}

/// Answers every command that can be read.
private struct Answering: BatchHandler {
    func handle(_ batch: [Envelope]) async throws -> [Outcome] {
        try batch.map { envelope in
            _ = try envelope.decode(ReleaseSeats.self)
            return .reply([try envelope.reply(SeatsReleased(), at: envelope.occurredAt)])
        }
    }
}

/// A queue that gives out the same batch so many times, and then nothing until the task is cancelled.
private final class Inflow: Inlet {
    private let batch: [Delivery]
    private let times: Int
    private let state = Mutex((taken: 0, settled: 0))

    init(_ batch: [Delivery], times: Int) {
        self.batch = batch
        self.times = times
    }

    var isSettled: Bool { state.withLock { $0.settled == times } }

    func open() async throws {}
    func cancel() async throws {}
    func close() async {}
    func interrupt() {}

    func take(upTo limit: Int, notBefore moment: ContinuousClock.Instant?) async throws -> [Delivery] {
        let isLeft = state.withLock { state in
            state.taken += 1
            return state.taken <= times
        }
        if isLeft { return batch }
        let (silence, _) = AsyncStream<Never>.makeStream()
        for await _ in silence {}
        return []
    }

    func acknowledge(through tag: UInt64) async throws {
        state.withLock { $0.settled += 1 }
    }
}

/// A broker that takes everything.
private final class Outflow: Outlet {
    private let taken = Mutex(0)

    var count: Int { taken.withLock { $0 } }

    func open() async throws {}
    func close() async {}

    func publish(_ batch: [Publication]) async throws -> [Refusal] {
        taken.withLock { $0 += batch.count }
        return []
    }
}
