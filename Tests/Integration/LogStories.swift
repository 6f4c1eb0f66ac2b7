import Contracts
import Foundation
import Logging
import RabbitMQ
import TestKit
import Testing

/// What the fleet writes into its logs when it is asked for everything.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `The logs of a fleet` {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"

    @Test func `are JSON lines with saga and trace, and tell nobody's address or password`() async throws {
        let lines = LogLines()
        try await withFleet(["DEAD_LETTERS": "filed"], logger: lines.logger) { fleet in
            let email = #""email":"ada.lovelace@example.org""#
            let event = try await fleet.publish()
            for method in ["sim_ok", "sim_declined", "sim_flaky"] {
                _ = try await fleet.buy(event, #""quantity":1,\#(email),"paymentMethod":"\#(method)""#)
            }
            _ = try await fleet.call("GET", "/sagas/ada.lovelace@example.org")
            _ = try await fleet.call("POST", "/saga/start", body: "{\(email)")
            try await fleet.withUpstream { upstream in
                try await upstream.publish(
                    Data(#"{"userId":7,\#(email),"password":"hunter2"}"#.utf8), kind: "purchase.start.v1",
                    messageID: "ada.lovelace@example.org",
                    headers: ["traceparent": .string("00-\(Self.trace)-00f067aa0ba902b7-01")])
                try await upstream.publish(
                    Data("{}".utf8), kind: "amqp://ada:hunter2@example.org", messageID: SagaID.make().description,
                    correlationID: "\(SagaID.make())")
            }
            try await until("both are buried") { lines.all.count { $0.contains(#""message":"buried""#) } == 2 }
        }
        let objects = try lines.all.map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String], "\(line)")
        }
        #expect(objects.count > 2)
        for object in objects {
            for key in ["at", "level", "process", "message"] { #expect(object[key] != nil) }
        }
        let buried = objects.filter { $0["message"] == "buried" }
        #expect(buried.contains { $0["trace"] == Self.trace })
        #expect(buried.contains { $0["saga"] != nil })
        #expect(buried.allSatisfy { $0["level"] == "error" && $0["queue"] == "orchestrator.commands" })
        let secrets = ["ada.lovelace", "hunter2", try Self.password()]
        for line in lines.all {
            for secret in secrets { #expect(!line.contains(secret), "\(line)") }
        }
    }

    @Test func `do not show the passwords of servers that cannot be reached`() async throws {
        let lines = LogLines()
        let redis = "redis://:hunter2@127.0.0.1:1/0"
        try await withFleet(["REDIS_URL": redis], logger: lines.logger) { fleet in
            #expect(try await fleet.buy(try await fleet.publish()).outcome == "completed")
            let ready = String(decoding: try await fleet.call("GET", "/health/ready").body, as: UTF8.self)
            #expect(!ready.contains("hunter2"))
        }
        #expect(lines.all.contains { $0.contains("redis is skipped") })
        #expect(lines.all.allSatisfy { !$0.contains("hunter2") })
    }

    /// The password of the database that the tests run on.
    private static func password() throws -> String {
        try #require(TestServers.databaseURL.flatMap { URLComponents(string: $0)?.password })
    }
}
