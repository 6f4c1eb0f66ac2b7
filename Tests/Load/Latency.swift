import Contracts
import Foundation
import RabbitMQ
import Synchronization

/// Purchases at a fixed rate, each timed from when it should have been published to its completed event.
///
/// The first two seconds' purchases warm the fleet up and are not counted.
struct Latency {
    private let target: Target
    private let rate: Int
    private let seconds: Int

    init(_ target: Target, rate: Int, seconds: Int) {
        self.target = target
        self.rate = rate
        self.seconds = seconds
    }

    func run() async throws {
        let warming = rate * 2
        let count = rate * seconds + warming
        print("latency: \(rate) purchases a second for \(seconds) s")
        let ids = try await target.publishEvents(8)
        let run = String(UInt32.random(in: 0...UInt32.max), radix: 36)
        let (queue, administrator) = try await listeningQueue()
        let due = Mutex<[String: ContinuousClock.Instant]>([:])
        async let times = listen(queue, count, due, from: warming)
        let publisher = try await target.publisher()
        let began = ContinuousClock.now
        await withTaskGroup { group in
            for number in 0..<count {
                let moment = began + .seconds(Double(number) / Double(rate))
                let buyer = "bench-\(run)-\(number)"
                due.withLock { $0[buyer] = moment }
                group.addTask {
                    do {
                        try await Task.sleep(until: moment)
                        let start = try target.start(ids[number % ids.count], buyer: buyer, number: number)
                        _ = try await publisher.publish([start])
                    } catch {
                        print("latency: \(error)")
                    }
                }
            }
        }
        let sorted = try await times.sorted()
        try await administrator.deleteQueue(queue)
        await administrator.close()
        await publisher.close()
        func percentile(_ part: Double) -> String {
            format(sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))].inSeconds * 1_000)
        }
        print(
            "latency: rate=\(rate)/s start to completed ms p50=\(percentile(0.5)) p95=\(percentile(0.95)) "
                + "p99=\(percentile(0.99)) max=\(percentile(1))")
    }

    private func listeningQueue() async throws -> (String, Administrator) {
        let queue = "bench.\(UInt32.random(in: 0...UInt32.max))"
        let administrator = Administrator(target.broker, logger: target.logger)
        try await administrator.open()
        try await administrator.declareQueue(queue, arguments: ["x-queue-type": .string("quorum")])
        try await administrator.bindQueue(queue, to: "turnstile.events", routingKey: "purchase.completed")
        return (queue, administrator)
    }

    /// The time each purchase took, from its due moment to the arrival of its completed event.
    private func listen(
        _ queue: String, _ count: Int, _ due: borrowing Mutex<[String: ContinuousClock.Instant]>, from first: Int
    ) async throws -> [Duration] {
        let consumer = Consumer(target.broker, queue: queue, prefetch: 200, logger: target.logger)
        try await consumer.open()
        var times: [Duration] = []
        var arrived = 0
        while arrived < count {
            let batch = try await consumer.take(upTo: 200)
            let now = ContinuousClock.now
            for delivery in batch {
                let event = try WireFormat.decode(PurchaseCompleted.self, from: delivery.body)
                guard let moment = due.withLock({ $0[event.userId] }) else { continue }
                arrived += 1
                if (event.userId.split(separator: "-").last.flatMap { Int($0) } ?? 0) >= first {
                    times.append(now - moment)
                }
            }
            if let last = batch.last { try await consumer.acknowledge(through: last.tag) }
        }
        await consumer.close()
        return times
    }
}
