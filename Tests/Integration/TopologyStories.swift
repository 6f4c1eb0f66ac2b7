import Configuration
import Connections
import FleetInspection
import FleetRuntime
import Foundation
import Hosting
import Logging
import RabbitMQ
import TestKit
import Testing

/// What is seen of a broker that is not as the fleet needs it.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(5)))
struct `A broker` {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func inspector(_ url: String, managed: Bool) throws -> QueueInspector {
        var values = ["AMQP_URL": url]
        if managed { values["AMQP_MANAGEMENT_URL"] = TestServers.managementURL }
        let settings = try Settings(ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: values)))
        return try QueueInspector(settings, name: "test", logger: logger)
    }

    @Test func `that lacks queues, or has others under their names, is seen through by every look, and left as it is`()
        async throws
    {
        try await withTestBroker { url in
            let configuration = try BrokerConfiguration(url: url)
            let keeper = TopologyDeclarer(configuration, logger: logger)
            try await keeper.apply()
            #expect(try await keeper.flaws() == [])
            for managed in [false, true] {
                let reading = try await inspector(url, managed: managed).read()
                #expect(reading.flaws == [], "managed: \(managed)")
                #expect(reading.alarms == [], "managed: \(managed)")
                #expect(reading.queues.count == 35, "managed: \(managed)")
            }
            try await Administrator(configuration, logger: logger).lent { administrator in
                try await administrator.open()
                for name in ["payment.commands", "expiry.commands", "expiry.commands.retry.1s"] {
                    try await administrator.deleteQueue(name)
                }
                try await administrator.declareQueue(
                    "expiry.commands", arguments: ["x-queue-type": .string("classic")])
                try await administrator.declareQueue(
                    "expiry.commands.retry.1s",
                    arguments: [
                        "x-queue-type": .string("quorum"), "x-message-ttl": .integer(5_000),
                        "x-dead-letter-exchange": .string(""), "x-dead-letter-routing-key": .string("expiry.commands"),
                    ])
                try await administrator.deleteExchange("turnstile.replies")
                try await administrator.declareExchange("turnstile.replies", kind: "fanout")
            }
            let expected = [
                "exchange turnstile.replies wrong", "queue expiry.commands wrong",
                "queue expiry.commands.retry.1s wrong",
                "queue payment.commands missing",
            ]
            for _ in 1...2 { #expect(Self.words(try await keeper.flaws()) == expected) }
            for managed in [false, true] {
                let reading = try await inspector(url, managed: managed).read()
                #expect(Self.words(reading.flaws) == expected, "managed: \(managed)")
                #expect(reading.queues.contains { $0.name == "expiry.commands" }, "managed: \(managed)")
            }
        }
    }

    @Test func `that refuses the management login is read by AMQP, and says so`() async throws {
        try await withTestBroker { url in
            try await TopologyDeclarer(try BrokerConfiguration(url: url), logger: logger).apply()
            var parts = try #require(TestServers.managementURL.flatMap { URLComponents(string: $0) })
            parts.password = "wrong"
            let settings = try Settings(
                ConfigReader(
                    provider: EnvironmentVariablesProvider(
                        environmentVariables: ["AMQP_URL": url, "AMQP_MANAGEMENT_URL": parts.string ?? ""])))
            let reading = try await QueueInspector(settings, name: "test", logger: logger).read()
            #expect(reading.queues.count == 35)
            #expect(reading.remarks.first?.contains("refuses the login") == true)
        }
    }

    private static func words(_ flaws: [TopologyFlaw]) -> [String] {
        flaws.map { "\($0.kind.rawValue) \($0.name) \($0.state.rawValue)" }.sorted()
    }
}
