import Foundation
import Testing

@testable import RabbitMQ

@Suite(.enabled(if: Broker.url != nil), .timeLimit(.minutes(1))) struct `Connections` {
    @Test func `a wrong password is refused as such`() async throws {
        var configuration = try Broker.configuration()
        configuration.password = "wrong"
        let publisher = Publisher(configuration, logger: Broker.logger)
        let error = try await brokerError { try await publisher.open() }
        #expect(error.code == .accessRefused)
        #expect(!error.isTransient)
        #expect(!error.description.contains("wrong"))
    }

    @Test func `a missing virtual host is refused as such`() async throws {
        var configuration = try Broker.configuration()
        configuration.virtualHost = "missing"
        let administrator = Administrator(configuration, logger: Broker.logger)
        let error = try await brokerError { try await administrator.open() }
        #expect(error.code == .accessRefused)
    }

    @Test func `the next host is tried when one is down`() async throws {
        var configuration = try Broker.configuration()
        configuration.hosts.insert(.init(host: "127.0.0.1", port: 1), at: 0)
        let administrator = Administrator(configuration, logger: Broker.logger)
        try await administrator.open()
        #expect(try await administrator.serverProperties().product == "RabbitMQ")
        await administrator.close()
    }

    @Test func `when no host answers the connection is lost, for now`() async throws {
        var configuration = try Broker.configuration()
        configuration.hosts = [.init(host: "127.0.0.1", port: 1), .init(host: "host.invalid", port: 5672)]
        let consumer = Consumer(configuration, queue: "any", prefetch: 1, logger: Broker.logger)
        let error = try await brokerError { try await consumer.open() }
        #expect(error.code == .connectionLost)
        #expect(error.isTransient)
    }

    @Test func `idle connections outlive several heartbeats`() async throws {
        var configuration = try Broker.configuration()
        configuration.heartbeat = .seconds(1)
        try await Broker.withQueue { queue, _ in
            try await Broker.withPublisher(configuration) { publisher in
                try await Broker.withConsumer(of: queue, configuration) { consumer in
                    try await Task.sleep(for: .seconds(5))
                    #expect(try await publisher.publish([Broker.message("x", to: queue)]) == [])
                    let taken = try await consumer.take(upTo: 1)
                    try await Task.sleep(for: .seconds(4))
                    try await consumer.acknowledge(through: try #require(taken.first).tag)
                }
            }
        }
    }

    @Test(.enabled(if: Broker.managementURL != nil))
    func `connections closed by the broker end every wait, and open again`() async throws {
        try await Broker.withQueue { queue, _ in
            let configuration = try Broker.configuration()
            try await Broker.withPublisher(configuration) { publisher in
                try await Broker.withConsumer(of: queue, configuration) { consumer in
                    let waiting = Task { try await consumer.take(upTo: 1) }
                    try await Broker.closeConnections(named: configuration.connectionName, atLeast: 2)
                    let lost = try await brokerError { _ = try await waiting.value }
                    #expect(lost.code == .connectionLost)
                    let unsent = try await brokerError {
                        while true { _ = try await publisher.publish([Broker.message("before", to: queue)]) }
                    }
                    #expect(unsent.code == .connectionLost)
                    try await publisher.open()
                    try await consumer.open()
                    #expect(try await publisher.publish([Broker.message("after", to: queue)]) == [])
                    var bodies: [String] = []
                    while bodies.last != "after" {
                        bodies += try await consumer.take(upTo: 9).map { String(decoding: $0.body, as: UTF8.self) }
                    }
                }
            }
        }
    }

    @Test func `what was never opened says so`() async throws {
        let configuration = try Broker.configuration()
        let publisher = Publisher(configuration, logger: Broker.logger)
        let administrator = Administrator(configuration, logger: Broker.logger)
        let unsent = try await brokerError { _ = try await publisher.publish([Broker.message("x", to: "q")]) }
        let unasked = try await brokerError { _ = try await administrator.checkQueue("q") }
        #expect(unsent.code == .closed)
        #expect(unasked.code == .closed)
    }
}

@Suite(.enabled(if: Broker.url != nil), .timeLimit(.minutes(1))) struct `Administration` {
    @Test func `refused requests leave the administrator usable`() async throws {
        try await Broker.withQueue { queue, administrator in
            let missing = try await brokerError { _ = try await administrator.checkQueue("missing") }
            #expect(missing.code == .notFound)
            let other = try await brokerError {
                try await administrator.declareQueue(queue, arguments: ["x-queue-type": .string("classic")])
            }
            #expect(other.code == .preconditionFailed)
            #expect(try await administrator.checkQueue(queue).consumers == 0)
        }
    }

    @Test func `an exchange is declared, checked, bound and deleted`() async throws {
        try await Broker.withQueue { queue, administrator in
            let exchange = "exchange-\(queue)"
            let missing = try await brokerError { try await administrator.checkExchange(exchange, kind: "topic") }
            #expect(missing.code == .notFound)
            try await administrator.declareExchange(exchange, kind: "topic")
            try await administrator.checkExchange(exchange, kind: "topic")
            let other = try await brokerError { try await administrator.checkExchange(exchange, kind: "direct") }
            #expect(other.code == .preconditionFailed)
            try await administrator.bindQueue(queue, to: exchange, routingKey: "a.*")
            var message = Broker.message("x", to: "a.b")
            message.exchange = exchange
            #expect(try await Broker.withPublisher { try await $0.publish([message]) } == [])
            #expect(try await administrator.checkQueue(queue).messages == 1)
            try await administrator.deleteExchange(exchange)
        }
    }

    @Test func `messages are got one by one, given back, and purged`() async throws {
        try await Broker.withQueue { queue, administrator in
            #expect(try await administrator.get(queue) == nil)
            let sent = Broker.message("one", to: queue)
            #expect(try await Broker.withPublisher { try await $0.publish([sent]) } == [])
            let first = try #require(try await administrator.get(queue))
            #expect(first.body == sent.body)
            #expect(first.properties.messageID == sent.properties.messageID)
            try await administrator.reject(first.tag, requeue: true)
            var again = try await administrator.get(queue)
            while again == nil { again = try await administrator.get(queue) }
            #expect(again?.isRedelivered == true)
            try await administrator.acknowledge(try #require(again).tag)
            let rest = ["", "three"].map { Broker.message($0, to: queue) }
            #expect(try await Broker.withPublisher { try await $0.publish(rest) } == [])
            #expect(try await administrator.get(queue)?.body == Data())
            try await administrator.purgeQueue(queue)
            #expect(try await administrator.get(queue) == nil)
        }
    }

    @Test func `a message got before the channel was lost cannot be answered afterwards`() async throws {
        try await Broker.withQueue { queue, administrator in
            _ = try await Broker.withPublisher { try await $0.publish([Broker.message("x", to: queue)]) }
            let got = try #require(try await administrator.get(queue))
            _ = try await brokerError { _ = try await administrator.checkQueue("missing") }
            let error = try await brokerError { try await administrator.acknowledge(got.tag) }
            #expect(error.code == .connectionLost)
        }
    }

    @Test func `the broker tells its version`() async throws {
        let administrator = Administrator(try Broker.configuration(), logger: Broker.logger)
        try await administrator.open()
        let (product, version) = try await administrator.serverProperties()
        #expect(product == "RabbitMQ")
        #expect(version.split(separator: ".").count >= 3)
        await administrator.close()
    }
}
