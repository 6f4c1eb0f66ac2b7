import Connections
import Contracts
import FleetRuntime
import Foundation
import Logging
import RabbitMQ
import ServiceLifecycle
import Synchronization
import Testing

@testable import Engine
@testable import OrchestratorService

@Suite(.timeLimit(.minutes(1)))
struct `The dispatcher` {
    /// Confirms a batch only when it is let go on.
    private final class SlowBroker: Outlet {
        let asked = AsyncStream<Int>.makeStream()
        let released = AsyncStream<Void>.makeStream()
        let isClosed = Mutex(false)

        func open() async throws {}

        func publish(_ batch: [Publication]) async throws -> [Refusal] {
            asked.continuation.yield(batch.count)
            for await _ in released.stream { break }
            return []
        }

        func close() async { isClosed.withLock { $0 = true } }
    }

    private let broker = SlowBroker()
    private let dispatcher: Dispatcher
    private let group: ServiceGroup
    private let thread = ConnectionThread()

    init() {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let messagePublisher = MessagePublisher(
            outlet: broker, application: "test", health: HealthRegistry(), logger: logger)
        dispatcher = Dispatcher(messagePublisher, on: thread, logger: logger)
        group = ServiceGroup(services: [dispatcher], logger: logger)
    }

    private func send(_ count: Int) {
        dispatcher.send(
            (0..<count).map { _ in
                OutgoingMessage(
                    Envelope(id: .make(), kind: .reserve, sagaID: .make(), occurredAt: Date(), body: Data()),
                    to: .owner)
            })
    }

    @Test func `sends together what came meanwhile, and the last of it before it stops`() async throws {
        async let running: Void = group.run()
        var asked = broker.asked.stream.makeAsyncIterator()
        send(1)
        #expect(await asked.next() == 1)
        send(2)
        send(3)
        broker.released.continuation.yield()
        #expect(await asked.next() == 5)
        send(4)
        await group.triggerGracefulShutdown()
        broker.released.continuation.yield()
        #expect(await asked.next() == 4)
        #expect(!broker.isClosed.withLock { $0 })
        broker.released.continuation.yield()
        try await running
        #expect(broker.isClosed.withLock { $0 })
        thread.retire()
    }

    @Test func `stops at once although it waits for something to send`() async throws {
        async let running: Void = group.run()
        var asked = broker.asked.stream.makeAsyncIterator()
        send(1)
        #expect(await asked.next() == 1)
        broker.released.continuation.yield()
        // On the same thread, so after the dispatcher has begun to wait.
        for _ in 0..<100 { await Task(executorPreference: thread) {}.value }
        await group.triggerGracefulShutdown()
        try await running
        #expect(broker.isClosed.withLock { $0 })
        thread.retire()
    }
}
