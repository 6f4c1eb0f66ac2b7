import Contracts
import Foundation
import Postgres
import RabbitMQ
import TestKit
import Testing
import WireJSON

/// Whoever can be told is told, whatever it sent.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `A sender` {
    @Test func `of what makes no sense is told why, and so are the operators`() async throws {
        try await withFleet { fleet in
            try await fleet.withUpstream { upstream in
                let start = "purchase.start.v1"
                let nonsense: [(Properties, Data, Problem.Code)] = [
                    (Properties(messageID: "1", type: start), Data("not json".utf8), .malformedBody),
                    (Properties(messageID: "2", type: start), Data([0x22, 0xFF, 0x22]), .malformedBody),
                    (Properties(messageID: "3", type: start), Data(repeating: 0x20, count: 65 * 1024), .tooLarge),
                    (Properties(messageID: "4", type: "purchase.dream.v1"), Data("{}".utf8), .invalid),
                    (Properties(messageID: "5", type: "reservation.reserved.v1"), Data("{}".utf8), .invalid),
                    (Properties(messageID: "6"), Data("{}".utf8), .invalid),
                    (Properties(type: start), Data("{}".utf8), .invalid),
                    (
                        Properties(messageID: "8", type: start, contentType: "text/xml"), Data("<a/>".utf8),
                        .unsupportedMediaType
                    ),
                    (
                        Properties(messageID: "9", type: start, contentType: "text/plain; charset=ISO-8859-1"),
                        Data("{}".utf8), .unsupportedMediaType
                    ),
                    (
                        Properties(messageID: "10", type: start, headers: ["content-encoding": .string("gzip")]),
                        Data([0x1F, 0x8B]),
                        .unsupportedMediaType
                    ),
                ]
                for (properties, body, code) in nonsense {
                    try await upstream.send(properties, body, correlationID: "c-\(code)")
                    let answer = try #require(try await upstream.answers(1).first)
                    #expect(answer.properties.type == "purchase.rejected.v1")
                    #expect(answer.properties.correlationID == "c-\(code)")
                    let problem = try WireFormat.decode(PurchaseRejected.self, from: answer.body).problem
                    #expect(problem.code == code, "\(problem)")
                    _ = try await upstream.deadLetter()
                }
            }
            #expect(try await fleet.count("orchestrator.saga") == 0)
        }
    }

    @Test func `of JSON under any name that it goes by is understood`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                let types = [
                    nil, "APPLICATION/JSON", "application/json; charset=UTF-8", "text/plain",
                    "text/plain;charset=utf-8",
                    "application/octet-stream", "application/vnd.shop+json",
                ]
                for (number, type) in types.enumerated() {
                    let wish = #"{"userId":"\#(uniqueUser())","eventId":"\#(event)","quantity":1}"#
                    try await upstream.send(
                        Properties(messageID: "\(number)", type: "purchase.start.v1", contentType: type),
                        Data(wish.utf8), correlationID: "c-\(number)")
                    let answers = try await upstream.answers(2)
                    #expect(
                        answers.map(\.properties.type) == ["purchase.accepted.v1", "purchase.completed.v1"],
                        "\(type ?? "none")")
                }
            }
        }
    }

    @Test func `of a start that comes again is answered where it asks now, with the outcome`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                let wish = Data(#"{"userId":"ada","eventId":"\#(event)","quantity":1}"#.utf8)
                let start = Properties(messageID: "one", type: "purchase.start.v1")
                try await upstream.send(start, wish, correlationID: "first")
                let first = try await upstream.answers(2)
                let other = uniqueName("restarted")
                try await upstream.administrator.declareQueue(other)
                try await upstream.send(start, wish, correlationID: "second", replyTo: other)
                var again: [Delivery] = []
                try await until("the repeat is answered") {
                    if let answer = try await upstream.administrator.get(other) { again.append(answer) }
                    return again.count == 2
                }
                #expect(again.map(\.properties.type) == ["purchase.accepted.v1", "purchase.completed.v1"])
                #expect(again.map(\.properties.messageID) == first.map(\.properties.messageID))
                #expect(again.allSatisfy { $0.properties.correlationID == "second" })
            }
        }
    }

    @Test func `of news that were lost is asked nothing: the recommendation worker hears them again`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await until("it is known") { try await fleet.count("recommendation.place") == 1 }
            let owner = fleet.database.owner()
            try await owner.script(
                """
                DELETE FROM recommendation.place; DELETE FROM recommendation.inbox;
                UPDATE orchestrator.event SET places_due_at = now()
                """)
            await owner.close()
            try await until("it is known again") {
                try await fleet.count("recommendation.place WHERE event_id = '\(event)'") == 1
            }
            try await until("nobody looks any more") {
                try await fleet.count("orchestrator.event WHERE places_due_at IS NOT NULL") == 0
            }
        }
    }
}

extension Upstream {
    fileprivate func send(
        _ properties: Properties, _ body: Data, correlationID: String, replyTo other: String? = nil
    ) async throws {
        var properties = properties
        properties.correlationID = correlationID
        properties.replyTo = other ?? queue
        let refusals = try await publisher.publish([
            Publication(
                exchange: "turnstile.commands", routingKey: "orchestrator", isMandatory: true,
                properties: properties, body: body)
        ])
        #expect(refusals.isEmpty)
    }
}
