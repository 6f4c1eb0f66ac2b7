import Logging
import TestKit

@testable import RabbitMQ

/// A broker that a test plays itself: it lets a consumer in, and then says whatever the test wants.
enum FakeBroker {
    /// Runs `body` with a consumer of a broker that says `script` once it is asked for messages.
    static func withConsumer<R: Sendable>(
        hearing script: @escaping @Sendable (inout FakeClient) async throws -> Void,
        _ body: @escaping @Sendable (Consumer) async throws -> R
    ) async throws -> R {
        try await withFakeServer(serving: { client in
            let answers = [
                method(1, 50, 11, short("q") + big(UInt32(0)) + big(UInt32(0))), method(1, 60, 11, []),
                method(1, 60, 21, short("consumer")),
            ]
            try await admit(&client, answers)
            try await script(&client)
        }) { port in
            let consumer = Consumer(configuration(port), queue: "q", prefetch: 10, logger: Broker.logger)
            try await consumer.open()
            let result = try await body(consumer)
            await consumer.close()
            return result
        }
    }

    /// Runs `body` with a publisher of a broker that reads the frames of one message and then says `script`.
    static func withPublisher<R: Sendable>(
        hearing script: @escaping @Sendable (inout FakeClient) async throws -> Void,
        _ body: @escaping @Sendable (Publisher) async throws -> R
    ) async throws -> R {
        try await withFakeServer(serving: { client in
            try await admit(&client, [method(1, 85, 11, [])])
            for _ in 0..<3 { try await skipFrame(from: &client) }
            try await script(&client)
        }) { port in
            let publisher = Publisher(configuration(port), logger: Broker.logger)
            try await publisher.open()
            let result = try await body(publisher)
            await publisher.close()
            return result
        }
    }

    static func confirm(_ tag: UInt64) -> [UInt8] { method(1, 60, 80, big(tag) + [0]) }

    private static func configuration(_ port: Int) -> BrokerConfiguration {
        BrokerConfiguration(
            hosts: [.init(host: "127.0.0.1", port: port)], user: "u", password: "p", virtualHost: "/",
            connectionName: "test")
    }

    /// The method and the header of one delivery, whose body follows.
    static func delivery(_ tag: UInt64, bodySize: UInt64) -> [UInt8] {
        method(1, 60, 60, short("consumer") + big(tag) + [0] + short("") + short("q"))
            + frame(2, 1, big(UInt16(60)) + big(UInt16(0)) + big(bodySize) + big(UInt16(0)))
    }

    static func body(_ bytes: [UInt8]) -> [UInt8] { frame(3, 1, bytes) }

    /// Answers what a client says until its channel is open, and gives its further requests these answers.
    private static func admit(_ client: inout FakeClient, _ further: [[UInt8]]) async throws {
        _ = try await client.read(8)
        try await client.write(method(0, 10, 10, [0, 9] + long("") + long("PLAIN") + long("en_US")))
        try await skipFrame(from: &client)
        try await client.write(method(0, 10, 30, big(UInt16(2047)) + big(UInt32(131_072)) + big(UInt16(10))))
        try await skipFrame(from: &client)
        for answer in [method(0, 10, 41, short("")), method(1, 20, 11, long(""))] + further {
            try await skipFrame(from: &client)
            try await client.write(answer)
        }
    }

    private static func skipFrame(from client: inout FakeClient) async throws {
        let head = try await client.read(7)
        let size = head[3...].reduce(0) { $0 << 8 | Int($1) }
        _ = try await client.read(size + 1)
    }

    private static func method(_ channel: UInt16, _ classID: UInt16, _ id: UInt16, _ arguments: [UInt8]) -> [UInt8] {
        frame(1, channel, big(classID) + big(id) + arguments)
    }

    private static func frame(_ type: UInt8, _ channel: UInt16, _ payload: [UInt8]) -> [UInt8] {
        [type] + big(channel) + big(UInt32(payload.count)) + payload + [0xCE]
    }

    private static func short(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }
    private static func long(_ text: String) -> [UInt8] { big(UInt32(text.utf8.count)) + text.utf8 }

    private static func big(_ number: some FixedWidthInteger) -> [UInt8] {
        (0..<number.bitWidth / 8).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
}
