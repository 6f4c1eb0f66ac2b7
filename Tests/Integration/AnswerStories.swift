import Contracts
import Foundation
import RabbitMQ
import TestKit
import Testing
import WireJSON

/// How an upstream system knows what an answer is about.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `An answer` {
    private static let event = Data(
        TestFleet.event(#"{"name":"Floor","price":{"currency":"EUR","minor":100},"capacity":5}"#).utf8)

    @Test func `to a published event names it, and the same for every repeat`() async throws {
        try await withFleet { fleet in
            try await fleet.withUpstream { upstream in
                var events: [EventID] = []
                for _ in 1...2 {
                    try await upstream.publish(
                        Self.event, kind: "event.publish.v1", messageID: "season", replyTo: upstream.queue)
                    let answer = try #require(try await upstream.answers(1).first)
                    #expect(answer.properties.type == "event.published.v1")
                    #expect(answer.properties.correlationID == "season")
                    events.append(try WireFormat.decode(EventPublished.self, from: answer.body).eventId)
                }
                #expect(events[0] == events[1])
                #expect(try await fleet.count("orchestrator.event") == 1)
                try await upstream.start(events[0], messageID: "at once")
                let answers = try await upstream.answers(2)
                #expect(answers.map(\.properties.type) == ["purchase.accepted.v1", "purchase.completed.v1"])
            }
        }
    }

    @Test func `to another event under a used message id is a rejection`() async throws {
        try await withFleet { fleet in
            try await fleet.withUpstream { upstream in
                let other = Data(String(decoding: Self.event, as: UTF8.self).replacing("Concert", with: "Play").utf8)
                var answers: [Delivery] = []
                for body in [Self.event, other] {
                    try await upstream.publish(
                        body, kind: "event.publish.v1", messageID: "season", replyTo: upstream.queue)
                    answers += try await upstream.answers(1)
                }
                let rejection = try WireFormat.decode(PurchaseRejected.self, from: answers[1].body)
                #expect(rejection.problem.code == .keyReused)
                #expect(try await fleet.count("orchestrator.event") == 1)
            }
        }
    }

    @Test func `carries the message id when the publisher gave no correlation id`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                for (message, quantity) in [("good one", 1), ("bad one", 11)] {
                    let wish = #"{"userId":"\#(uniqueUser())","eventId":"\#(event)","quantity":\#(quantity)}"#
                    try await upstream.publish(
                        Data(wish.utf8), kind: "purchase.start.v1", messageID: message, replyTo: upstream.queue)
                }
                let answers = try await upstream.answers(3)
                let known = Dictionary(grouping: answers) { $0.properties.correlationID ?? "" }
                #expect(known["good one"]?.map(\.properties.type) == ["purchase.accepted.v1", "purchase.completed.v1"])
                #expect(known["bad one"]?.map(\.properties.type) == ["purchase.rejected.v1"])
            }
        }
    }

    @Test func `comes to a command whose names are headers, and its repeat is one`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                let wish = Data(#"{"userId":"joe","eventId":"\#(event)","quantity":1}"#.utf8)
                for _ in 1...2 {
                    try await upstream.publish(
                        wish, kind: nil, messageID: nil, replyTo: upstream.queue,
                        headers: [
                            "type": .string("purchase.start.v1"), "message-id": .string("order-10"),
                            "correlation-id": .string("ten"),
                        ])
                }
                var answers: [Delivery] = []
                while !answers.contains(where: { $0.properties.type == "purchase.completed.v1" }) {
                    answers += try await upstream.answers(1)
                }
                #expect(answers.allSatisfy { $0.properties.correlationID == "ten" })
                try await upstream.publish(
                    Data("{".utf8), kind: nil, messageID: nil,
                    headers: ["type": .string("purchase.start.v1"), "message-id": .string("order-11")])
                let buried = try await upstream.deadLetter()
                #expect(buried.properties.type == "purchase.start.v1" && buried.properties.messageID == "order-11")
            }
            #expect(try await fleet.count("orchestrator.saga WHERE user_id = 'joe'") == 1)
        }
    }
}
