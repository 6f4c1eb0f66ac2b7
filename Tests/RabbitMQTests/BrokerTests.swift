import Foundation
import Testing

@testable import RabbitMQ

@Suite(.enabled(if: Broker.url != nil), .timeLimit(.minutes(1))) struct `Messages through a broker` {
    @Test func `all properties and header kinds arrive as they were sent`() async throws {
        try await Broker.withQueue { queue, _ in
            var sent = Broker.message("bödy\u{0}", to: queue)
            sent.properties = Properties(
                messageID: "m", correlationID: "c", type: "t.v1", replyTo: "r", applicationID: "a",
                contentType: "application/json", timestamp: 1_700_000_000, isPersistent: true,
                headers: [
                    "string": .string("größer"), "empty": .string(""), "integer": .integer(-5_000_000_000),
                    "yes": .boolean(true), "no": .boolean(false), "timestamp": .timestamp(1_700_000_001),
                    "double": .double(0.1),
                ])
            var bare = Broker.message("", to: queue)
            bare.properties = Properties(isPersistent: false)
            var large = Broker.message("", to: queue)
            large.body = Data((0..<400_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })
            let batch = [sent, bare, large]
            #expect(try await Broker.withPublisher { try await $0.publish(batch) } == [])
            var configuration = try Broker.configuration()
            configuration.bodyLimit = large.body.count
            try await Broker.withConsumer(of: queue, configuration) { consumer in
                var taken: [Delivery] = []
                while taken.count < 3 { taken += try await consumer.take(upTo: 10) }
                #expect(taken.map(\.properties) == batch.map(\.properties))
                #expect(taken.map(\.body) == batch.map(\.body))
                #expect(taken.allSatisfy { $0.exchange == "" && $0.routingKey == queue && !$0.isRedelivered })
                try await consumer.acknowledge(through: try #require(taken.last).tag)
            }
        }
    }

    @Test func `header kinds that are only recognised are kept apart and left out when published`() async throws {
        try await Broker.withQueue { dead, _ in
            let routing: FieldTable = [
                "x-dead-letter-exchange": .string(""), "x-dead-letter-routing-key": .string(dead),
                "x-delivery-limit": .integer(0),
            ]
            try await Broker.withQueue(routing) { queue, _ in
                _ = try await Broker.withPublisher { try await $0.publish([Broker.message("x", to: queue)]) }
                try await Broker.withConsumer(of: queue) { consumer in
                    let taken = try await consumer.take(upTo: 1)
                    try await consumer.reject(try #require(taken.first).tag, requeue: false)
                    try await Broker.withConsumer(of: dead) { mourner in
                        let deadLettered = try #require(try await mourner.take(upTo: 1).first)
                        #expect(deadLettered.properties.headers["x-death"] == .other("array"))
                        #expect(deadLettered.properties.headers["x-first-death-queue"] == .string(queue))
                        var again = Broker.message("again", to: dead)
                        again.properties = deadLettered.properties
                        #expect(try await Broker.withPublisher { try await $0.publish([again]) } == [])
                        let second = try #require(try await mourner.take(upTo: 1).first)
                        #expect(second.properties.headers["x-death"] == nil)
                        #expect(second.properties.headers["x-first-death-queue"] == .string(queue))
                    }
                }
            }
        }
    }

    @Test func `twenty thousand messages arrive once each, in order`() async throws {
        let (count, size) = (20_000, 500)
        try await Broker.withQueue { queue, administrator in
            try await Broker.withPublisher { publisher in
                try await Broker.withConsumer(of: queue) { consumer in
                    async let sent: Void = {
                        for start in stride(from: 0, to: count, by: size) {
                            let batch = (start..<(start + size)).map {
                                Broker.message("\($0)", to: queue, id: "m-\($0)", headers: ["n": .integer(Int64($0))])
                            }
                            let refusals = try await publisher.publish(batch)
                            #expect(refusals == [])
                        }
                    }()
                    var taken: [Int] = []
                    while taken.count < count {
                        let batch = try await consumer.take(upTo: size)
                        #expect(batch.count <= size)
                        taken += batch.compactMap { Int(String(decoding: $0.body, as: UTF8.self)) }
                        try await consumer.acknowledge(through: try #require(batch.last).tag)
                    }
                    try await sent
                    #expect(taken == Array(0..<count))
                }
            }
            #expect(try await administrator.checkQueue(queue).messages == 0)
        }
    }

    @Test func `concurrent batches each get their own answer`() async throws {
        try await Broker.withQueue { queue, _ in
            try await Broker.withPublisher { publisher in
                try await withThrowingTaskGroup { group in
                    for lane in 0..<20 {
                        group.addTask {
                            for round in 0..<10 {
                                let good = Broker.message("x", to: queue)
                                let lost = Broker.message("x", to: "missing-\(queue)-\(lane)-\(round)")
                                let refusals = try await publisher.publish(
                                    lane % 2 == 0 ? [good, lost] : [good, good])
                                #expect(refusals.map(\.index) == (lane % 2 == 0 ? [1] : []))
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }
}

@Suite(.enabled(if: Broker.url != nil), .timeLimit(.minutes(1))) struct `Refusals` {
    @Test func `a message for a missing queue is returned`() async throws {
        try await Broker.withQueue { queue, _ in
            let batch = [
                Broker.message("1", to: queue), Broker.message("2", to: "missing-\(queue)"),
                Broker.message("3", to: queue), Broker.message("4", to: "missing-\(queue)"),
            ]
            let refusals = try await Broker.withPublisher { try await $0.publish(batch) }
            let reason = Refusal.Reason.returned(code: 312, text: "NO_ROUTE")
            #expect(refusals == [Refusal(index: 1, reason: reason), Refusal(index: 3, reason: reason)])
        }
    }

    @Test func `a full queue refuses`() async throws {
        let limits: FieldTable = ["x-max-length": .integer(1), "x-overflow": .string("reject-publish")]
        try await Broker.withQueue(limits) { queue, _ in
            try await Broker.withPublisher { publisher in
                var refusals: [Refusal] = []
                for _ in 0..<20 where refusals.isEmpty {
                    refusals = try await publisher.publish([Broker.message("x", to: queue)])
                }
                #expect(refusals == [Refusal(index: 0, reason: .nacked)])
            }
        }
    }

    @Test func `a message AMQP cannot express is refused alone and never sent`() async throws {
        try await Broker.withQueue { queue, administrator in
            var flawed = Broker.message("flawed", to: queue)
            flawed.properties.messageID = String(repeating: "m", count: 256)
            var crowded = Broker.message("crowded", to: queue)
            crowded.properties.headers["note"] = .string(String(repeating: "n", count: 200_000))
            let batch = [flawed, Broker.message("good", to: queue), crowded]
            try await Broker.withPublisher { publisher in
                let mixed = try await publisher.publish(batch)
                #expect(mixed.map(\.index) == [0, 2])
                let alone = try await publisher.publish([flawed])
                #expect(alone.map(\.index) == [0])
            }
            #expect(try await administrator.checkQueue(queue).messages == 1)
        }
    }

    @Test func `an empty batch is confirmed at once`() async throws {
        #expect(try await Broker.withPublisher { try await $0.publish([]) } == [])
    }

    @Test func `a missing exchange closes the publisher, which opens again`() async throws {
        try await Broker.withQueue { queue, _ in
            try await Broker.withPublisher { publisher in
                var lost = Broker.message("x", to: queue)
                lost.exchange = "missing-\(queue)"
                let error = try await brokerError { _ = try await publisher.publish([lost]) }
                #expect(error.code == .notFound)
                let later = try await brokerError { _ = try await publisher.publish([lost]) }
                #expect(later.code == .notFound)
                try await publisher.open()
                #expect(try await publisher.publish([Broker.message("x", to: queue)]) == [])
            }
        }
    }
}
