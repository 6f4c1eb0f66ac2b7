import Contracts
import RabbitMQ
import TestKit

/// Where an upstream system gets its answers: accepted, rejected, and the outcomes.
struct AnswerQueue: Sendable {
    let name = "bench.answers.\(UInt32.random(in: 0...UInt32.max))"
    private let administrator: Administrator
    private let consumer: Consumer

    init(_ target: Target) async throws {
        administrator = Administrator(target.broker, logger: target.logger)
        consumer = Consumer(target.broker, queue: name, prefetch: 1_000, logger: target.logger)
        try await administrator.open()
        try await administrator.declareQueue(name, arguments: ["x-queue-type": .string("quorum")])
        try await consumer.open()
    }

    /// Reads until every one of `count` starts is accepted or rejected.
    func collect(_ count: Int) async throws -> (accepted: Int, rejected: Int) {
        let watchdog = Task {
            try await Task.sleep(for: .seconds(120))
            await consumer.close()
        }
        defer { watchdog.cancel() }
        var (accepted, rejected) = (0, 0)
        do {
            while accepted + rejected < count {
                let batch = try await consumer.take(upTo: 1_000)
                for delivery in batch {
                    switch delivery.properties.type {
                    case PurchaseAccepted.kind.rawValue: accepted += 1
                    case PurchaseRejected.kind.rawValue: rejected += 1
                    default: break
                    }
                }
                if let last = batch.last { try await consumer.acknowledge(through: last.tag) }
            }
        } catch {
            throw Trouble("\(accepted + rejected) of \(count) starts were answered: \(error)")
        }
        return (accepted, rejected)
    }

    func close() async {
        await consumer.close()
        do {
            try await administrator.deleteQueue(name)
        } catch {
            tell("  the queue \(name) stays: \(error)")
        }
        await administrator.close()
    }
}
