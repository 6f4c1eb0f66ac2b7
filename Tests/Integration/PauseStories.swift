import Catalogue
import Contracts
import Foundation
import OrchestratorService
import RabbitMQ
import TestKit
import Testing

/// That an operator can stop selling, and that nothing else stops.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(10)))
struct `A paused sale` {
    @Test func `refuses new purchases over HTTP and AMQP, lets those under way go on, and ends`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let other = try await fleet.publish()
            let first = try await fleet.start(
                event, user: "ada", #""quantity":1,"paymentMethod":"sim_slow:1500""#,
                headers: ["Idempotency-Key": "one"])
            let running = try first.decode(SagaReading.self).sagaId

            let paused = try await fleet.operate(
                "POST", "/pauses", body: #"{"eventId":"\#(event)","reason":"the hall burns"}"#)
            #expect(paused.status == 200)
            let refused = try await fleet.start(event)
            #expect(refused.status == 409)
            #expect(try refused.json["code"] as? String == "sales-paused")
            #expect(try (refused.json["detail"] as? String)?.contains("the hall burns") == true)
            let again = try await fleet.start(
                event, user: "ada", #""quantity":1,"paymentMethod":"sim_slow:1500""#,
                headers: ["Idempotency-Key": "one"])
            #expect(again.status == 202, "a repeat has its first answer")
            #expect(try again.decode(SagaReading.self).sagaId == running)
            try await fleet.withUpstream { upstream in
                try await upstream.start(event, messageID: "paused-1")
                let answer = try #require(try await upstream.answers(1).first)
                #expect(answer.properties.type == "purchase.rejected.v1")
                #expect(String(decoding: answer.body, as: UTF8.self).contains("sales-paused"))
            }
            #expect(try await fleet.buy(other).outcome == "completed")
            #expect(try await fleet.saga(running) { $0.outcome != nil }.outcome == "completed")

            #expect(try await fleet.operate("POST", "/pauses/end", body: #"{"eventId":"\#(event)"}"#).status == 200)
            #expect(try await fleet.buy(event).outcome == "completed")
        }
    }

    @Test func `of all events is known to every process within a second`() async throws {
        try await withFleetServers { database, broker in
            try await runFleet(database, broker, [:]) { one in
                let event = try await one.publish()
                try await runFleet(database, broker, [:]) { two in
                    #expect(try await two.buy(event).outcome == "completed")
                    _ = try await one.operate("POST", "/pauses", body: #"{"all":true,"reason":"stop"}"#)
                    try await until("the other process knows", within: .seconds(5)) {
                        try await two.start(event).status == 409
                    }
                    let pauses = try await two.operate("GET", "/pauses").decode(PausesReading.self).pauses
                    #expect(pauses.map(\.reason) == ["stop"])
                    #expect(pauses.map(\.eventId) == [nil])
                    _ = try await two.operate("POST", "/pauses/end", body: #"{"all":true}"#)
                    try await until("it sells again", within: .seconds(5)) {
                        try await one.start(event).status == 202
                    }
                }
                // A process that starts while sales are paused sells nothing before it knows.
                _ = try await one.operate("POST", "/pauses", body: #"{"all":true,"reason":"stop"}"#)
                try await runFleet(database, broker, [:]) { late in
                    let answer = try await late.start(event)
                    #expect(answer.status == 409)
                }
            }
        }
    }

    @Test func `wants a reason and either an event or all of them`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            for (body, status) in [
                ("{}", 422), (#"{"eventId":"\#(event)","all":true,"reason":"x"}"#, 422),
                (#"{"all":true}"#, 422), (#"{"eventId":"\#(SagaID.make())","reason":"x"}"#, 404),
            ] {
                #expect(try await fleet.operate("POST", "/pauses", body: body).status == status, "\(body)")
            }
            #expect(try await fleet.start(event).status == 202)
        }
    }
}

private struct PausesReading: Decodable { let pauses: [SalesPause] }
