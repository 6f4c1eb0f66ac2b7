import Foundation
import Testing

@testable import RabbitMQ

@Suite(.enabled(if: Broker.url != nil), .timeLimit(.minutes(1))) struct `Consuming` {
    private func publish(_ count: Int, to queue: String) async throws {
        let batch = (0..<count).map { Broker.message("\($0)", to: queue) }
        #expect(try await Broker.withPublisher { try await $0.publish(batch) } == [])
    }

    private func text(_ delivery: Delivery) -> String { String(decoding: delivery.body, as: UTF8.self) }

    /// Takes until there are so many.
    private func take(_ count: Int, from consumer: Consumer) async throws -> [Delivery] {
        var taken: [Delivery] = []
        while taken.count < count {
            let more = try await consumer.take(upTo: count - taken.count)
            try #require(!more.isEmpty, "the wait was ended after \(taken.count) of \(count)")
            taken += more
        }
        return taken
    }

    @Test func `a missing queue is one clear error`() async throws {
        let consumer = Consumer(try Broker.configuration(), queue: "missing", prefetch: 1, logger: Broker.logger)
        let error = try await brokerError { try await consumer.open() }
        #expect(error.code == .notFound)
        #expect(error.description.contains("no queue 'missing'"))
        let later = try await brokerError { _ = try await consumer.take(upTo: 1) }
        #expect(later == error)
    }

    @Test func `what is rejected comes again, marked, and what is acknowledged does not`() async throws {
        try await Broker.withQueue { queue, administrator in
            try await publish(3, to: queue)
            try await Broker.withConsumer(of: queue) { consumer in
                let first = try await take(3, from: consumer)
                try await consumer.reject(first[1].tag, requeue: true)
                try await consumer.acknowledge(through: first[2].tag)
                let again = try await take(1, from: consumer)
                #expect(again.map(text) == ["1"])
                #expect(again[0].isRedelivered)
                try await consumer.acknowledge(through: again[0].tag)
                try await consumer.acknowledge(through: again[0].tag)
            }
            #expect(try await administrator.checkQueue(queue).messages == 0)
        }
    }

    @Test func `prefetch bounds what arrives before an acknowledgement`() async throws {
        try await Broker.withQueue { queue, _ in
            try await publish(10, to: queue)
            try await Broker.withConsumer(of: queue, prefetch: 4) { consumer in
                var taken = try await take(4, from: consumer)
                for expected in ["4", "5"] {
                    try await consumer.acknowledge(through: taken[taken.count - 4].tag)
                    taken += try await consumer.take(upTo: 10)
                    #expect(taken.last.map(text) == expected)
                }
            }
        }
    }

    @Test func `an acknowledgement that may wait is told in time, or earlier when many deliveries wait for it`()
        async throws
    {
        try await Broker.withQueue { queue, _ in
            try await publish(12, to: queue)
            try await Broker.withConsumer(of: queue, prefetch: 4) { consumer in
                var taken = try await take(4, from: consumer)
                for (count, delay) in [(1, Duration.milliseconds(50)), (1, .milliseconds(50)), (2, .seconds(3600))] {
                    consumer.acknowledge(through: taken[taken.count - 5 + count].tag, within: delay)
                    // More can only come when the broker has heard of it.
                    taken += try await take(count, from: consumer)
                }
                #expect(taken.map(text) == (0..<8).map(String.init))
            }
        }
    }

    @Test func `a consumer that closes or cancels has told all acknowledgements`() async throws {
        try await Broker.withQueue { queue, administrator in
            try await publish(3, to: queue)
            for isCancelled in [true, false] {
                try await Broker.withConsumer(of: queue) { consumer in
                    let taken = try await consumer.take(upTo: 1)
                    consumer.acknowledge(through: taken[0].tag, within: .seconds(3600))
                    if isCancelled { try await consumer.cancel() }
                }
            }
            try await Broker.withConsumer(of: queue) { consumer in
                let rest = try await take(1, from: consumer)
                #expect(rest.map(text) == ["2"])
                try await consumer.acknowledge(through: rest[0].tag)
            }
            #expect(try await administrator.checkQueue(queue).messages == 0)
        }
    }

    @Test func `who takes a batch may wait for its moment, unless the batch is full`() async throws {
        try await Broker.withQueue { queue, _ in
            try await publish(3, to: queue)
            try await Broker.withConsumer(of: queue) { consumer in
                let moment = ContinuousClock.now + .milliseconds(100)
                let taken = try await consumer.take(upTo: 10, notBefore: moment)
                #expect(ContinuousClock.now >= moment)
                #expect(taken.map(text) == ["0", "1", "2"])
                try await publish(2, to: queue)
                let full = try await consumer.take(upTo: 2, notBefore: .now + .seconds(3600))
                #expect(full.map(text) == ["0", "1"])
                let waiting = Task { try await consumer.take(upTo: 2, notBefore: .now + .seconds(3600)) }
                waiting.cancel()
                #expect(try await waiting.value == [], "a cancelled task does not wait")
            }
        }
    }

    @Test func `an interruption ends this wait and all later ones, and loses nothing`() async throws {
        try await Broker.withQueue { queue, _ in
            try await publish(1, to: queue)
            try await Broker.withConsumer(of: queue) { consumer in
                let resting = Task { try await consumer.take(upTo: 2, notBefore: .now + .seconds(3600)) }
                consumer.interrupt()
                _ = try await resting.value
                _ = try await consumer.take(upTo: 1)
            }
            try await Broker.withConsumer(of: queue) { consumer in
                let kept = try await take(1, from: consumer)
                let waiting = Task { try await consumer.take(upTo: 1) }
                consumer.interrupt()
                #expect(try await waiting.value == [])
                try await consumer.acknowledge(through: kept[0].tag)
            }
        }
    }

    @Test func `cancelling the task ends the wait with nothing`() async throws {
        try await Broker.withQueue { queue, _ in
            try await Broker.withConsumer(of: queue) { consumer in
                let waiting = Task { try await consumer.take(upTo: 1) }
                waiting.cancel()
                #expect(try await waiting.value == [])
                try await publish(1, to: queue)
                #expect(try await consumer.take(upTo: 1).map(text) == ["0"])
            }
        }
    }

    @Test func `cancelling the consumer hands back what was not taken and nothing else`() async throws {
        try await Broker.withQueue { queue, administrator in
            try await publish(10, to: queue)
            try await Broker.withConsumer(of: queue) { consumer in
                let taken = try await take(4, from: consumer)
                try await consumer.cancel()
                #expect(try await consumer.take(upTo: 10) == [])
                try await Broker.withConsumer(of: queue) { successor in
                    let rest = try await take(6, from: successor)
                    #expect(rest.map(text) == (4..<10).map(String.init))
                    #expect(rest.map(\.isRedelivered) == Array(repeating: true, count: 6))
                    try await successor.acknowledge(through: rest[5].tag)
                }
                try await consumer.acknowledge(through: taken[3].tag)
            }
            #expect(try await administrator.checkQueue(queue).messages == 0)
        }
    }

    @Test func `cancelling an idle consumer ends a wait`() async throws {
        try await Broker.withQueue { queue, _ in
            try await Broker.withConsumer(of: queue) { consumer in
                let waiting = Task { try await consumer.take(upTo: 1) }
                try await consumer.cancel()
                #expect(try await waiting.value == [])
            }
        }
    }

    @Test func `a queue deleted under the consumer ends it`() async throws {
        try await Broker.withQueue { queue, administrator in
            try await Broker.withConsumer(of: queue) { consumer in
                let waiting = Task { try await consumer.take(upTo: 1) }
                try await administrator.deleteQueue(queue)
                let error = try await brokerError { _ = try await waiting.value }
                #expect(error.code == .cancelled)
                let reopened = try await brokerError { try await consumer.open() }
                #expect(reopened.code == .notFound)
            }
        }
    }

    @Test func `an unacknowledged message comes again after reopening, and its old tag is void`() async throws {
        try await Broker.withQueue { queue, administrator in
            try await publish(2, to: queue)
            try await Broker.withConsumer(of: queue) { consumer in
                let old = try await take(2, from: consumer)
                try await consumer.open()
                let new = try await take(2, from: consumer)
                #expect(new.map(\.isRedelivered) == [true, true])
                let error = try await brokerError { try await consumer.acknowledge(through: old[1].tag) }
                #expect(error.code == .connectionLost)
                let rejection = try await brokerError { try await consumer.reject(old[0].tag, requeue: false) }
                #expect(rejection.code == .connectionLost)
                try await consumer.acknowledge(through: new[1].tag)
            }
            #expect(try await administrator.checkQueue(queue).messages == 0)
        }
    }

    @Test func `a closed consumer says so`() async throws {
        try await Broker.withQueue { queue, _ in
            let consumer = Consumer(try Broker.configuration(), queue: queue, prefetch: 1, logger: Broker.logger)
            try await consumer.open()
            let waiting = Task { try await consumer.take(upTo: 1) }
            await consumer.close()
            let error = try await brokerError { _ = try await waiting.value }
            #expect(error.code == .closed)
        }
    }

    @Test func `whoever takes while the consumer closes hears of it, at whatever moment that is`() async throws {
        try await Broker.withQueue { queue, _ in
            let consumer = Consumer(try Broker.configuration(), queue: queue, prefetch: 1, logger: Broker.logger)
            for _ in 0..<200 {
                try await consumer.open()
                async let error = brokerError { _ = try await consumer.take(upTo: 1) }
                await consumer.close()
                #expect(try await error.code == .closed)
            }
        }
    }
}
