import Contracts
import Foundation
import RabbitMQ
import TestKit
import Testing

/// What the fleet's metrics say, and what they cannot be made to say.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `The metrics of a fleet` {
    @Test func `tell of sagas, messages, holds, queues and requests`() async throws {
        let management = try #require(TestServers.managementURL)
        try await withFleet(["AMQP_MANAGEMENT_URL": management]) { fleet in
            let event = try await fleet.publish()
            for _ in 0..<3 { #expect(try await fleet.buy(event).outcome == "completed") }
            #expect(try await fleet.buy(event, #""quantity":1,"paymentMethod":"sim_declined""#).outcome == "refused")
            _ = try await fleet.start(event, #""quantity":4,"paymentMethod":"sim_never""#)
            try await until("the hold and the queues' consumers are counted") {
                let metrics = try await fleet.metrics()
                return metrics["turnstile_holds_active"] == 4
                    && metrics[#"turnstile_queue_consumers{queue="payment.commands"}"#] == 1
            }
            let metrics = try await fleet.metrics()
            #expect(metrics[#"turnstile_saga_transitions_total{from="none",to="reserving"}"#] == 5)
            #expect(metrics[#"turnstile_saga_transitions_total{from="confirming",to="completed"}"#] == 3)
            #expect(metrics[#"turnstile_saga_inputs_total{input="declined"}"#] == 1)
            #expect(metrics[#"turnstile_saga_ignored_total{reason="impossible"}"#] == 0)
            #expect(metrics[#"turnstile_saga_duration_seconds_count{outcome="completed"}"#] == 3)
            #expect(metrics[#"turnstile_saga_step_duration_seconds_count{state="reserving"}"#] == 5)
            #expect(metrics[#"turnstile_saga_step_duration_seconds_count{state="confirming"}"#] == 3)
            #expect(metrics[#"turnstile_purchase_starts_total{answer="accepted"}"#] == 5)
            #expect(metrics[#"turnstile_sagas_open{state="charging"}"#] == 1)
            #expect(metrics["turnstile_saga_oldest_age_seconds"] ?? -1 >= 0)
            let handled = #"turnstile_messages_consumed_total{queue="payment.commands",outcome="handled"}"#
            #expect(metrics[handled] ?? 0 >= 5)
            #expect(metrics[#"turnstile_queue_unacked_messages{queue="payment.commands"}"#] != nil)
            #expect(metrics[#"turnstile_component_state{component="redis",state="ready"}"#] == 1)
            #expect(metrics[#"turnstile_payment_answers_total{operation="charge",outcome="declined"}"#] == 1)
            #expect(metrics[#"turnstile_database_pool_connections{pool="http",state="in_use"}"#] != nil)
            let starts = #"turnstile_http_request_duration_seconds_count{route="/saga/start",method="POST""#
            #expect(metrics[starts + #",status="202"}"#] == 1)
            #expect(metrics[starts + #",status="200"}"#] == 4)
        }
    }

    @Test func `count what comes again, is buried, and is looked up in vain`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                for _ in 0..<3 { try await upstream.start(event, messageID: "same", user: "ada") }
                try await upstream.publish(Data("{}".utf8), kind: "nonsense", messageID: "x")
                _ = try await upstream.deadLetter()
            }
            try await until("both repeats are counted") {
                try await fleet.metrics()["turnstile_saga_repeated_total"] ?? 0 >= 2
            }
            let metrics = try await fleet.metrics()
            let buried = #"turnstile_messages_consumed_total{queue="orchestrator.commands",outcome="buried"}"#
            #expect(metrics[buried] == 1)
            let lookups = ["hit", "miss", "failed"].compactMap {
                metrics[#"turnstile_cache_lookups_total{cache="availability",result="\#($0)"}"#]
            }
            #expect(lookups.reduce(0, +) > 0)
        }
    }

    @Test func `get no new series from what the world sends`() async throws {
        try await withFleet { fleet in
            try await fleet.withUpstream { upstream in
                try await fleet.provoke(upstream, times: 2)
                // After ten wrong keys the answer is another one, which is a series of its own.
                for _ in 1...11 { _ = try await fleet.call("GET", "/ops/dead/x", headers: ["Authorization": "wrong"]) }
                _ = try await fleet.metrics()  // The scrape itself is a request.
                let before = Set(try await fleet.metrics().keys)
                try await fleet.provoke(upstream, times: 25)
                let after = Set(try await fleet.metrics().keys)
                #expect(after.subtracting(before).sorted() == [])
                #expect(before.count > 300)
            }
        }
    }
}

extension TestFleet {
    /// Every series by its name and labels.
    func metrics() async throws -> [String: Double] {
        let text = String(decoding: try await call("GET", "/metrics").body, as: UTF8.self)
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
        return Dictionary(
            uniqueKeysWithValues: lines.compactMap { line in
                let end = line.lastIndex(of: " ") ?? line.endIndex
                return Double(line[end...].dropFirst()).map { (String(line[..<end]), $0) }
            })
    }

    /// All kinds of nonsense that strangers can send, each time under other names.
    fileprivate func provoke(_ upstream: Upstream, times: Int) async throws {
        for _ in 0..<times {
            let word = UUID().uuidString
            let event = try await publish()
            #expect(try await buy(event, user: word).outcome == "completed")
            #expect(try await start(event, #""tier":"\#(word)","quantity":1"#).status == 422)
            #expect(try await start(.make()).status == 422)
            #expect(try await call("GET", "/events/\(event)/availability").status == 200)
            #expect(try await call("GET", "/\(word)/\(word)?\(word)=1").status == 404)
            #expect(try await call("GET", "/sagas/\(word)").status == 404)
            #expect(try await call("GET", "/ops/dead/\(word)", headers: ["Authorization": word]).isRefusedKey)
            #expect(try await operate("GET", "/dead/\(word)").status == 404)
            _ = try await call("B\(word.filter(\.isLetter))", "/saga/start")
            try await upstream.publish(Data("{}".utf8), kind: "purchase.\(word).v1", messageID: word)
            #expect(try await upstream.deadLetter().buriedBecause.hasPrefix("unknown-kind"))
        }
    }
}

extension Answer {
    /// A wrong operator key is refused, and after some more the address is told to wait.
    fileprivate var isRefusedKey: Bool { status == 401 || status == 429 }
}
