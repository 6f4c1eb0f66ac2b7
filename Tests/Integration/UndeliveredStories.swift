import Contracts
import Foundation
import Operations
import OrchestratorService
import RabbitMQ
import TestKit
import Testing

/// What a queue outside the fleet does to those who publish to it ends with that queue.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `A queue that takes nothing` {
    private static let full: FieldTable = ["x-max-length": .integer(1), "x-overflow": .string("reject-publish")]

    @Test func `holds nobody's purchase, and hears everything when it has room again`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                let full = uniqueName("full")
                try await upstream.administrator.declareQueue(full, arguments: Self.full)
                for number in 1...3 { try await upstream.start(event, "full-\(number)", answeredTo: full) }
                try await upstream.start(event, messageID: "bystander")
                let answers = try await upstream.answers(2)
                #expect(answers.map(\.properties.type) == ["purchase.accepted.v1", "purchase.completed.v1"])
                #expect(try await fleet.buy(event).outcome == "completed")
                try await until("five of six answers are kept") { try await fleet.kept(for: full) == 5 }

                let queues = try await fleet.operate("GET", "/undelivered").decode(Queues.self).queues
                #expect(queues.map(\.queue) == [full] && queues.first?.reason == "refused")
                try await upstream.administrator.deleteQueue(full)
                try await upstream.administrator.declareQueue(full)
                let outcome = try await fleet.operate("POST", "/undelivered/retry", body: #"{"queue":"\#(full)"}"#)
                #expect(outcome.status == 200)
                try await until("what was kept is told") { try await fleet.kept(for: full) == 0 }
                #expect(try await upstream.administrator.checkQueue(full).messages == 5)
            }
            try await fleet.expectInvariants()
        }
    }

    @Test func `for events holds nobody's purchase, and gets no event twice`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                let full = uniqueName("full")
                try await upstream.administrator.declareQueue(full, arguments: Self.full)
                try await upstream.administrator.bindQueue(full, to: "turnstile.events", routingKey: "#")
                try await upstream.listen(to: "purchase.completed")
                for _ in 1...3 { #expect(try await fleet.buy(event).outcome == "completed") }
                let heard = try await upstream.answers(3)
                #expect(Set(heard.map(\.properties.messageID)).count == 3, "the other listener hears each once")
                try await upstream.administrator.deleteQueue(full)
            }
        }
    }

    @Test func `and breaks connections holds nobody's purchase, and can be dropped`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                let poison = "amq.rabbitmq.reply-to.g1h2AA.BBBB"
                try await upstream.start(event, "poison", answeredTo: poison)
                try await upstream.start(event, messageID: "bystander")
                // What was under way on a connection that broke is told again, under the same id.
                var answers: [Delivery] = []
                while answers.last?.properties.type != "purchase.completed.v1" {
                    answers += try await upstream.answers(1)
                }
                #expect(Set(answers.map(\.properties.messageID)).count == 2)
                try await until("both answers are kept") { try await fleet.kept(for: poison) == 2 }
                let wish = #"{"queue":"\#(poison)","reason":"no such client"}"#
                #expect(try await fleet.operate("POST", "/undelivered/drop", body: wish).status == 200)
                #expect(try await fleet.kept(for: poison) == 0)
                #expect(try await fleet.count("orchestrator.operator_action WHERE action = 'drop answers'") == 1)
            }
            try await fleet.expectInvariants()
        }
    }

    @Test func `because it is gone is known to the operators`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                try await upstream.start(event, "gone", answeredTo: "nobody.reads.this")
                try await until("both answers are kept") { try await fleet.kept(for: "nobody.reads.this") == 2 }
            }
            let listed = try await fleet.operate("GET", "/undelivered/answers?queue=nobody.reads.this")
            let answers = try listed.decode(Answers.self).items
            #expect(Set(answers.map(\.kind)) == ["purchase.accepted.v1", "purchase.completed.v1"])
            #expect(answers.allSatisfy { $0.reason == "no-queue" })
        }
    }

    private struct Queues: Decodable {
        let queues: [UndeliveredQueue]
    }

    private struct Answers: Decodable {
        let items: [UndeliveredAnswer]
    }
}

extension TestFleet {
    fileprivate func kept(for queue: String) async throws -> Int {
        try await count("orchestrator.undelivered_answer WHERE queue = '\(queue)'")
    }
}

extension Upstream {
    fileprivate func start(_ event: EventID, _ messageID: String, answeredTo queue: String) async throws {
        try await publish(
            Data(#"{"userId":"\#(uniqueUser())","eventId":"\#(event)","quantity":1}"#.utf8),
            kind: "purchase.start.v1", messageID: messageID, replyTo: queue)
    }
}
