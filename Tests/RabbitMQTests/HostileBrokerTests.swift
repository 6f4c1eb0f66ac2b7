import Foundation
import TestKit
import Testing

@testable import RabbitMQ

/// What a consumer bears from a broker, or from whatever answers in its place.
@Suite(.timeLimit(.minutes(1))) struct `A consumer` {
    @Test(arguments: [0, 1 << 48, .max] as [UInt64])
    func `ends the connection for a delivery tag that no broker gives, and nothing else`(tag: UInt64) async throws {
        let error = try await FakeBroker.withConsumer(hearing: { client in
            try await client.write(FakeBroker.delivery(tag, bodySize: 0))
            try await client.readToEnd()
        }) { consumer in
            try await brokerError { _ = try await consumer.take(upTo: 1) }
        }
        #expect(error.code == .protocolViolation)
        #expect(error.isTransient)
    }

    @Test func `ends the connection for a body without an end`() async throws {
        let error = try await FakeBroker.withConsumer(hearing: { client in
            try await client.write(FakeBroker.delivery(1, bodySize: 1 << 63))
            let piece = FakeBroker.body([UInt8](repeating: 7, count: 100_000))
            while true { try await client.write(piece) }
        }) { consumer in
            try await brokerError { _ = try await consumer.take(upTo: 1) }
        }
        #expect(error.code == .protocolViolation)
    }

    @Test func `reads a body that is too large without keeping it, and then what follows`() async throws {
        let taken = try await FakeBroker.withConsumer(hearing: { client in
            let piece = [UInt8](repeating: 7, count: 100_000)
            try await client.write(FakeBroker.delivery(1, bodySize: 300_000_000))
            for _ in 0..<3_000 { try await client.write(FakeBroker.body(piece)) }
            try await client.write(FakeBroker.delivery(2, bodySize: 2) + FakeBroker.body([7, 7]))
            try await client.readToEnd()
        }) { consumer in
            var taken = try await consumer.take(upTo: 2)
            if taken.count == 1 { taken += try await consumer.take(upTo: 1) }
            return taken
        }
        #expect(taken.map(\.bodySize) == [300_000_000, 2])
        #expect(taken.map(\.body.count) == [0, 2])
        #expect(taken.map(\.isCut) == [true, false])
    }
}

/// How soon a dead connection is noticed, without a clock's help where the socket says it.
@Suite(.timeLimit(.minutes(1))) struct `A connection whose broker is gone` {
    /// Far less than a confirm may take, or silence may last.
    private static let soon = Duration.seconds(5)

    private func message() -> Publication { Broker.message("x", to: "q") }

    @Test func `ends a wait for messages at once`() async throws {
        let began = ContinuousClock.now
        let error = try await FakeBroker.withConsumer(hearing: { _ in }) { consumer in
            try await brokerError { _ = try await consumer.take(upTo: 1) }
        }
        #expect(error.code == .connectionLost)
        #expect(ContinuousClock.now - began < Self.soon)
    }

    @Test func `ends a wait for confirms at once`() async throws {
        let began = ContinuousClock.now
        let error = try await FakeBroker.withPublisher(hearing: { _ in }) { publisher in
            try await brokerError { _ = try await publisher.publish([message()]) }
        }
        #expect(error.code == .connectionLost)
        #expect(ContinuousClock.now - began < Self.soon)
    }

    @Test func `is given up soon when it was never good for anything, and with more patience each time`() async throws {
        let (first, second) = try await FakeBroker.withPublisher(hearing: { client in
            try await client.readToEnd()
        }) { publisher in
            let clock = ContinuousClock()
            var errors: [BrokerError.Code] = []
            func wait() async throws -> Duration {
                try await clock.measure {
                    errors.append(try await brokerError { _ = try await publisher.publish([message()]) }.code)
                }
            }
            let first = try await wait()
            try await publisher.open()
            let second = try await wait()
            #expect(errors == [.timedOut, .timedOut])
            return (first, second)
        }
        #expect(first < .seconds(10))
        #expect(second > first)
    }

    @Test func `is trusted once it has confirmed anything`() async throws {
        let waited = try await FakeBroker.withPublisher(hearing: { client in
            try await client.write(FakeBroker.confirm(1))
            // Longer than a connection that has confirmed nothing is given.
            try await Task.sleep(for: .seconds(5))
            try await client.write(FakeBroker.confirm(2))
            try await client.readToEnd()
        }) { publisher in
            var refused = try await publisher.publish([message()])
            let began = ContinuousClock.now
            refused += try await publisher.publish([message()])
            #expect(refused == [])
            return ContinuousClock.now - began
        }
        #expect(waited > .seconds(3))
    }
}

@Suite(.enabled(if: Broker.url != nil), .timeLimit(.minutes(1))) struct `A consumer that nobody takes from` {
    @Test func `stops reading at its limit, keeps its connection, and hands out everything in order`() async throws {
        var configuration = try Broker.configuration()
        configuration.heartbeat = .seconds(1)
        configuration.waitingLimit = 1_000_000
        try await Broker.withQueue { [configuration] queue, _ in
            let body = String(repeating: "x", count: 100_000)
            let batch = (0..<200).map { Broker.message("\($0) \(body)", to: queue) }
            #expect(try await Broker.withPublisher { try await $0.publish(batch) } == [])
            try await Broker.withConsumer(of: queue, configuration) { consumer in
                // Several heartbeats, which the broker misses if nothing goes on while nothing is read.
                try await Task.sleep(for: .seconds(5))
                var numbers: [Substring] = []
                while numbers.count < batch.count {
                    let taken = try await consumer.take(upTo: 7)
                    numbers += taken.map { String(decoding: $0.body, as: UTF8.self).prefix { $0 != " " } }
                        .map { Substring($0) }
                    try await consumer.acknowledge(through: try #require(taken.last).tag)
                }
                #expect(numbers == (0..<batch.count).map { "\($0)" })
            }
        }
    }

    @Test func `hands back what it has not read yet when it is cancelled`() async throws {
        var configuration = try Broker.configuration()
        configuration.waitingLimit = 500_000
        try await Broker.withQueue { [configuration] queue, administrator in
            let body = String(repeating: "x", count: 100_000)
            #expect(
                try await Broker.withPublisher {
                    try await $0.publish((0..<100).map { _ in Broker.message(body, to: queue) })
                } == [])
            try await Broker.withConsumer(of: queue, configuration) { consumer in
                let taken = try await consumer.take(upTo: 1)
                try await consumer.cancel()
                try await consumer.acknowledge(through: try #require(taken.last).tag)
                try await Broker.withConsumer(of: queue) { successor in
                    var count = 0
                    while count < 99 { count += try await successor.take(upTo: 99).count }
                }
            }
            try await until("the queue has back what nobody acknowledged", within: .seconds(20)) {
                try await administrator.checkQueue(queue).messages == 99
            }
        }
    }
}
