import Contracts
import Foundation
import RabbitMQ
import TestKit
import Testing
import WireJSON

/// What an upstream system sees on the broker.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `An upstream system` {
    @Test func `gets accepted and the outcome at its reply_to`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                try await upstream.start(event, messageID: "7", #""quantity":2"#)
                let answers = try await upstream.answers(2)
                #expect(answers.map(\.properties.type) == ["purchase.accepted.v1", "purchase.completed.v1"])
                #expect(answers.allSatisfy { $0.properties.correlationID == "order-7" })
                let completed = try WireFormat.decode(PurchaseCompleted.self, from: answers[1].body)
                #expect(completed.tickets.count == 2)
            }
            try await fleet.expectInvariants()
        }
    }

    @Test func `that publishes one start several times buys once`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                for _ in 0..<5 { try await upstream.start(event, messageID: "same", user: "ada") }
                var answers: [Delivery] = []
                while !answers.contains(where: { $0.properties.type == "purchase.completed.v1" }) {
                    answers += try await upstream.answers(1)
                }
                #expect(Set(answers.map(\.properties.messageID)).count == 2)
            }
            #expect(try await fleet.count("orchestrator.saga WHERE user_id = 'ada'") == 1)
            try await fleet.expectInvariants()
        }
    }

    @Test func `is told why a purchase was rejected`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                try await upstream.start(event, messageID: "a", #""quantity":11"#)
                let rejected = try #require(try await upstream.answers(1).first)
                #expect(rejected.properties.type == "purchase.rejected.v1")
                #expect(rejected.properties.correlationID == "order-a")
                let problem = try WireFormat.decode(PurchaseRejected.self, from: rejected.body).problem
                #expect(problem.code == .invalid)
                #expect(problem.errors?.map(\.pointer) == ["/quantity"])
            }
            #expect(try await fleet.count("orchestrator.saga") == 0)
        }
    }

    @Test func `publishes an event, sells it, and cancels a purchase`() async throws {
        try await withFleet { fleet in
            try await fleet.withUpstream { upstream in
                let tiers = #"{"name":"Floor","price":{"currency":"EUR","minor":100},"capacity":5}"#
                try await upstream.publish(
                    Data(TestFleet.event(tiers).utf8), kind: "event.publish.v1", messageID: "event-1")
                var events: [UUID] = []
                while events.isEmpty {
                    events = try await fleet.ask("SELECT event_id FROM reservation.availability", as: UUID.self)
                }
                try await upstream.start(
                    EventID(events[0]), messageID: "b", #""quantity":1,"paymentMethod":"sim_never""#)
                let accepted = try #require(try await upstream.answers(1).first)
                let saga = try WireFormat.decode(PurchaseAccepted.self, from: accepted.body).sagaId
                try await upstream.publish(
                    Data(#"{"sagaId":"\#(saga)"}"#.utf8), kind: "purchase.cancel.v1", messageID: "c",
                    replyTo: upstream.queue)
                let outcome = try #require(try await upstream.answers(1).first)
                #expect(outcome.properties.type == "purchase.refused.v1")
            }
            try await fleet.expectInvariants()
        }
    }

    @Test(arguments: [
        ("not json", "purchase.start.v1", "malformed-body"),
        (#"{"userId":"a"}"#, "purchase.start.v1", "invalid"),
        (#"{"userId":"a","quantity":0}"#, "purchase.start.v9", "unknown-kind"),
        ("{}", "nonsense", "unknown-kind"),
        ("{}", "reservation.reserved.v1", "unexpected-kind"),
    ])
    func `that publishes nonsense finds it buried with the reason`(
        body: String, kind: String, reason: String
    ) async throws {
        try await withFleet { fleet in
            try await fleet.withUpstream { upstream in
                try await upstream.publish(Data(body.utf8), kind: kind, messageID: UUID().uuidString)
                #expect(try await upstream.deadLetter().buriedBecause.hasPrefix(reason))
            }
            #expect(try await fleet.buy(try await fleet.publish()).outcome == "completed")
        }
    }

    @Test func `that leaves out the message id or breaks UTF-8 finds it buried`() async throws {
        try await withFleet { fleet in
            try await fleet.withUpstream { upstream in
                try await upstream.publish(Data("{}".utf8), kind: "purchase.start.v1", messageID: nil)
                #expect(try await upstream.deadLetter().buriedBecause.hasPrefix("missing-message-id"))
                try await upstream.publish(Data([0x22, 0xFF, 0x22]), kind: "purchase.start.v1", messageID: "1")
                #expect(try await upstream.deadLetter().buriedBecause.hasPrefix("malformed-body"))
                try await upstream.publish(
                    Data(repeating: 0x20, count: 65 * 1024), kind: "purchase.start.v1", messageID: "2")
                #expect(try await upstream.deadLetter().buriedBecause.hasPrefix("too-large"))
                try await upstream.publish(
                    Data(repeating: 0x20, count: 1_000_000), kind: "purchase.start.v1", messageID: "large")
                #expect(
                    try await upstream.deadLetter().buriedBecause
                        == "too-large: 1000000 bytes, the limit is 65536; the body is left out")
                try await upstream.publish(
                    Data("<a/>".utf8), kind: "purchase.start.v1", messageID: "3", contentType: "text/xml")
                #expect(try await upstream.deadLetter().buriedBecause.hasPrefix("unsupported-content-type"))
            }
            #expect(try await fleet.buy(try await fleet.publish()).outcome == "completed")
        }
    }
}
