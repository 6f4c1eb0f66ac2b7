import Connections
import Contracts
import FleetRuntime
import RabbitMQ
import Synchronization

/// One consuming connection to the simulated broker.
package final class MemoryInlet: Inlet {
    private let broker: MemoryBroker
    private let queue: String
    private let process: Incarnation
    private let consumer = Mutex<Int?>(nil)
    private let isInterrupted = Mutex(false)

    package init(_ broker: MemoryBroker, queue: String, _ process: Incarnation) {
        self.broker = broker
        self.queue = queue
        self.process = process
        process.atDeath { [weak self] in self?.disconnect() }
    }

    package func open() async throws {
        disconnect()
        try await process.step()
        let id = try broker.state.withLock { state in
            guard !state.isDown else { throw Self.lost("open") }
            state.numbers += 1
            state.consumers[state.numbers] = .init(queue: queue)
            return state.numbers
        }
        consumer.withLock { $0 = id }
    }

    package func take(upTo limit: Int, notBefore moment: ContinuousClock.Instant?) async throws -> [Delivery] {
        try await process.step()
        if let moment, moment > RuntimeEnvironment.instant {
            await sleepUnlessStopped(moment - RuntimeEnvironment.instant)
        }
        if broker.universe.happens(\.lostBroker) {
            disconnect()
            throw Self.lost("take")
        }
        while true {
            guard !Task.isCancelled, !isInterrupted.withLock({ $0 }) else { return [] }
            guard let id = consumer.withLock({ $0 }) else { throw Self.lost("take") }
            let taken = try broker.state.withLock { state in
                guard state.consumers[id] != nil else { throw Self.lost("take") }
                let taken = state.take(upTo: limit, from: queue, at: broker.universe.timeline.now)
                state.consumers[id]?.unsettled += taken.map { (UInt64($0.number), $0) }
                return taken
            }
            if !taken.isEmpty {
                broker.universe.note("\(process.name) takes \(taken.map(\.publication.label).joined(separator: ", "))")
                return taken.map(Self.delivery)
            }
            await wait(as: id)
        }
    }

    package func interrupt() {
        isInterrupted.withLock { $0 = true }
        for waiter in broker.state.withLock({ $0.wake(queue) }) { waiter.resume() }
    }

    package func acknowledge(through tag: UInt64) async throws {
        try await process.step()
        let isLost = broker.universe.happens(\.lostBroker)
        if isLost && broker.universe.number(in: 0...1) == 0 {
            disconnect()
            throw Self.lost("acknowledge")
        }
        try settle(through: tag)
        try process.survive()
        if isLost {
            disconnect()
            throw Self.lost("acknowledge")
        }
    }

    package func cancel() async throws { disconnect() }
    package func close() async { disconnect() }

    private func settle(through tag: UInt64) throws {
        guard let id = consumer.withLock({ $0 }) else { throw Self.lost("acknowledge") }
        try broker.state.withLock { state in
            guard let place = state.consumers[id]?.unsettled.firstIndex(where: { $0.tag == tag }) else {
                throw Self.lost("acknowledge")
            }
            state.consumers[id]?.unsettled.removeFirst(place + 1)
        }
    }

    private func disconnect() {
        let id = consumer.withLock { consumer in
            defer { consumer = nil }
            return consumer
        }
        guard let id else { return }
        let woken = broker.state.withLock { state in
            (state.dismiss(id).map { [$0] } ?? []) + state.wake(queue)
        }
        for waiter in woken { waiter.resume() }
    }

    /// Waits for something to look at: a message, its time, the end of the connection or of the task.
    private func wait(as id: Int) async {
        if let visibleAt = broker.state.withLock({ $0.nextVisible(in: queue) }) {
            let pause = min(visibleAt - broker.universe.timeline.now, .seconds(1))
            do {
                try await broker.universe.timeline.sleep(for: pause)
            } catch {
                // The loop looks at the cancellation next.
                return
            }
            return
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let mustResume = broker.state.withLock { state in
                    guard !Task.isCancelled, state.consumers[id] != nil else { return true }
                    state.consumers[id]?.waiter = waiter
                    return false
                }
                if mustResume { waiter.resume() }
            }
        } onCancel: {
            broker.state.withLock { state in
                defer { state.consumers[id]?.waiter = nil }
                return state.consumers[id]?.waiter
            }?.resume()
        }
    }

    private static func lost(_ operation: String) -> BrokerError {
        BrokerError(.connectionLost, during: operation, "simulated")
    }

    private static func delivery(_ message: MemoryBroker.Message) -> Delivery {
        Delivery(
            tag: UInt64(message.number), isRedelivered: message.isRedelivered, exchange: message.publication.exchange,
            routingKey: message.publication.routingKey, properties: message.publication.properties,
            body: message.publication.body)
    }
}

extension Publication {
    /// The kind and the end of the saga's id, for histories.
    package var label: String {
        "\(properties.type ?? "?")/\((properties.correlationID ?? properties.messageID ?? "?").suffix(4))"
    }
}
