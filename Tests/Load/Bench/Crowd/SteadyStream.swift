import Connections
import Contracts
import Foundation
import RabbitMQ
import Synchronization
import TestKit
import WireJSON

/// Purchases at a fixed rate over AMQP, each timed from when it should have been published to its completed event.
///
/// Nobody waits for an answer before the next purchase is due, and a late publication counts against the fleet: a slow
/// fleet cannot slow down the crowd that measures it. What has come due while the broker confirmed goes out together.
struct SteadyStream: Sendable {
    let target: Target
    let buyers: Buyers
    let rate: Double
    let count: Int

    /// When each purchase was due, and how long it took from then on.
    struct Timing: Sendable {
        let due: Duration
        let took: Duration
    }

    private static let patience = Duration.seconds(60)

    /// The crowd is one thread: what it costs is taken from the fleet that shares the machine.
    func run() async throws -> [Timing] {
        let thread = ConnectionThread()
        defer { thread.retire() }
        return try await withTaskExecutorPreference(thread) { try await run(on: thread) }
    }

    private func run(on thread: ConnectionThread) async throws -> [Timing] {
        let ear = Ear(target, on: thread)
        try await ear.open()
        do {
            let began = ContinuousClock.now + .milliseconds(50)
            async let heard = ear.listen(for: count, of: buyers, until: began + span + Self.patience)
            try await publish(from: began, on: thread)
            let times = try await heard
            await ear.close()
            return times.map { number, moment in
                let due = dueTime(of: number)
                return Timing(due: due, took: moment - (began + due))
            }
        } catch {
            await ear.close()
            throw error
        }
    }

    private var span: Duration { dueTime(of: count) }

    private func dueTime(of number: Int) -> Duration { .seconds(Double(number) / rate) }

    private func publish(from began: ContinuousClock.Instant, on thread: ConnectionThread) async throws {
        let publisher = try await target.publisher(on: thread)
        var next = 0
        while next < count {
            try await Task.sleep(until: began + dueTime(of: next), tolerance: .zero)
            let passed = (ContinuousClock.now - began).inSeconds
            let end = min(count, max(next + 1, Int(passed * rate) + 1), next + 500)
            let refusals = try await publisher.publish(try (next..<end).map { try buyers[$0].publication() })
            guard refusals.isEmpty else { throw Trouble("the broker refused \(refusals.count) starts") }
            next = end
        }
        await publisher.close()
    }
}

/// A queue of our own that hears of every completed purchase; in memory, for it measures and keeps nothing.
private struct Ear: Sendable {
    private let target: Target
    private let queue = "bench.\(UInt32.random(in: 0...UInt32.max))"
    private let administrator: Administrator
    private let consumer: Consumer

    init(_ target: Target, on thread: ConnectionThread) {
        self.target = target
        administrator = Administrator(target.broker, logger: target.logger)
        consumer = Consumer(target.broker, queue: queue, prefetch: 1_000, on: thread, logger: target.logger)
    }

    func open() async throws {
        try await administrator.open()
        try await administrator.declareQueue(queue, durable: false)
        try await administrator.bindQueue(queue, to: "turnstile.events", routingKey: "purchase.completed")
        try await consumer.open()
    }

    /// When each buyer's purchase was heard to be completed, by the buyer's number.
    func listen(for count: Int, of buyers: Buyers, until deadline: ContinuousClock.Instant) async throws
        -> [Int: ContinuousClock.Instant]
    {
        let watchdog = Task {
            try await Task.sleep(until: deadline)
            await consumer.close()
        }
        defer { watchdog.cancel() }
        var heard: [Int: ContinuousClock.Instant] = [:]
        heard.reserveCapacity(count)
        do {
            while heard.count < count {
                let batch = try await consumer.take(upTo: 1_000)
                let now = ContinuousClock.now
                for delivery in batch {
                    let event = try WireFormat.decode(PurchaseCompleted.self, from: delivery.body)
                    if let number = buyers.number(of: event.userId), heard[number] == nil { heard[number] = now }
                }
                if let last = batch.last { try await consumer.acknowledge(through: last.tag) }
            }
        } catch {
            throw Trouble("\(heard.count) of \(count) purchases were completed in time: \(error)")
        }
        return heard
    }

    func close() async {
        await consumer.close()
        do {
            try await administrator.deleteQueue(queue)
        } catch {
            tell("  the queue \(queue) stays: \(error)")
        }
        await administrator.close()
    }
}
