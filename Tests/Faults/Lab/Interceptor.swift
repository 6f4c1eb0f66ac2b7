import Contracts
import Foundation
import Logging
import RabbitMQ
import TestKit

/// Stands between an exchange and a queue, and hands the messages on as it likes: more than once, in another order.
struct Interceptor: Sendable {
    /// What to hand on now, of what has come since the last time.
    typealias Plan = @Sendable ([Delivery]) -> [Delivery]

    let exchange: String
    let routingKey: String
    let queue: String
    let broker: Broker

    private var tap: String { "faults.\(queue)" }

    static func commands(of role: FleetRole, _ broker: Broker) -> Interceptor {
        Interceptor(
            exchange: "turnstile.commands", routingKey: role.rawValue, queue: "\(role.rawValue).commands",
            broker: broker)
    }

    static func replies(_ broker: Broker) -> Interceptor {
        Interceptor(
            exchange: "turnstile.replies", routingKey: "orchestrator", queue: "orchestrator.replies", broker: broker)
    }

    /// Intercepts for a while, a round of messages every `pause`; returns every message that came by.
    func run(for time: Duration, every pause: Duration, _ plan: Plan) async throws -> [Delivery] {
        try await broker.administrator {
            try await $0.declareQueue(tap, arguments: ["x-queue-type": .string("quorum")])
            try await $0.bindQueue(tap, to: exchange, routingKey: routingKey)
        }
        let consumer = Consumer(try broker.configuration, queue: tap, prefetch: 2_000, logger: broker.logger)
        let outcome: Result<[Delivery], any Error>
        do {
            try await broker.management("DELETE", "/bindings/%2F/e/\(exchange)/q/\(queue)/\(routingKey)")
            try await consumer.open()
            outcome = .success(try await intercept(with: consumer, until: .now + time, every: pause, plan))
        } catch {
            outcome = .failure(error)
        }
        // Bound again before it is unbound here: a message may come twice, and none may be missed.
        try await broker.administrator { try await $0.bindQueue(queue, to: exchange, routingKey: routingKey) }
        try await broker.management("DELETE", "/bindings/%2F/e/\(exchange)/q/\(tap)/\(routingKey)")
        var seen = try outcome.get()
        while try await broker.depth(of: tap) > 0 { seen += try await round(consumer, plan) }
        await consumer.close()
        try await broker.administrator { try await $0.deleteQueue(tap) }
        return seen
    }

    private func intercept(
        with consumer: Consumer, until deadline: ContinuousClock.Instant, every pause: Duration, _ plan: Plan
    ) async throws -> [Delivery] {
        var seen: [Delivery] = []
        while ContinuousClock.now < deadline {
            try await Task.sleep(for: pause)
            seen += try await round(consumer, plan)
        }
        return seen
    }

    private func round(_ consumer: Consumer, _ plan: Plan) async throws -> [Delivery] {
        // A cancelled take is an empty one.
        let taking = Task { try await consumer.take(upTo: 2_000) }
        let impatience = Task {
            try await Task.sleep(for: .milliseconds(100))
            taking.cancel()
        }
        let batch = try await taking.value
        impatience.cancel()
        guard let last = batch.last else { return [] }
        try await broker.publish(plan(batch).map { $0.again(in: queue) })
        try await consumer.acknowledge(through: last.tag)
        return batch
    }
}

extension Delivery {
    /// The same message once more, straight into a queue.
    func again(in queue: String) -> Publication {
        Publication(exchange: "", routingKey: queue, isMandatory: true, properties: properties, body: body)
    }
}
