import Contracts
import Foundation
import RabbitMQ
import TestKit

/// What queues outside the fleet do to those who publish to them.
extension Fault {
    static let listeners: [Fault] = [
        Fault(
            "B-listener", "a listener's queue and an upstream system's queue are full, a third breaks connections",
            how:
                "max-length 1 with reject-publish, unread, on a queue for all events and one in reply_to of 40 starts; "
                + "40 more with a made-up direct reply queue; 15 s"
        ) { stage in
            let full: FieldTable = [
                "x-queue-type": .string("quorum"), "x-max-length": .integer(1), "x-overflow": .string("reject-publish"),
            ]
            let (answers, events, heard) = ("full.answers", "full.events", "read.answers")
            try await stage.broker.administrator {
                try await $0.declareQueue(answers, arguments: full)
                try await $0.declareQueue(events, arguments: full)
                try await $0.declareQueue(heard, arguments: ["x-queue-type": .string("quorum")])
                try await $0.bindQueue(events, to: "turnstile.events", routingKey: "#")
            }
            for queue in [answers, "amq.rabbitmq.reply-to.g1h2AA.BBBB", heard] {
                try await stage.start(40, answeredTo: queue)
            }
            let slowest = try await stage.slowestPurchase(for: .seconds(15))
            guard slowest <= .seconds(2) else { throw Trouble("a bystander waited \(slowest.text)") }
            try await until("the bystander is answered", within: .seconds(10)) {
                try await stage.broker.depth(of: heard) >= 80
            }
            // A burst gets past the limit before the broker refuses, so what the queue took varies; nothing is lost.
            var kept = 0
            try await until("every answer is in the full queue or kept", within: .seconds(30)) {
                kept = try await stage.books.count("orchestrator.undelivered_answer WHERE queue = '\(answers)'")
                let taken = try await stage.broker.depth(of: answers)
                return kept > 0 && kept + taken >= 80
            }
            try await stage.broker.administrator {
                try await $0.deleteQueue(answers)
                try await $0.deleteQueue(events)
                try await $0.declareQueue(answers, arguments: ["x-queue-type": .string("quorum")])
            }
            try await until("the kept answers are told", within: .seconds(180)) {
                try await stage.books.count("orchestrator.undelivered_answer WHERE queue = '\(answers)'") == 0
            }
            let told = try await stage.broker.depth(of: answers)
            guard told >= kept else { throw Trouble("\(told) of \(kept) kept answers were told") }
            try await stage.broker.administrator {
                try await $0.deleteQueue(answers)
                try await $0.deleteQueue(heard)
            }
            try await stage.books.script("DELETE FROM orchestrator.undelivered_answer")
            return "the slowest bystander waited \(slowest.text); \(kept) answers were kept and \(told) told later"
        }
    ]
}

extension Stage {
    /// Starts purchases as an upstream system that wants its answers in this queue.
    fileprivate func start(_ count: Int, answeredTo queue: String) async throws {
        try await broker.publish(
            (0..<count).map { _ in
                Publication(
                    exchange: "turnstile.commands", routingKey: "orchestrator", isMandatory: true,
                    properties: Properties(
                        messageID: SagaID.make().description, type: MessageKind.purchaseStart.rawValue, replyTo: queue,
                        contentType: "application/json"),
                    body: Data(
                        #"{"userId":"listener-\#(UUID())","eventId":"\#(halls.floor)","tier":"Floor","quantity":1}"#
                            .utf8))
            })
    }

    /// Buys one after another, and tells how long the slowest purchase took from the request to its outcome.
    fileprivate func slowestPurchase(for time: Duration) async throws -> Duration {
        let end = ContinuousClock.now + time
        var slowest = Duration.zero
        while ContinuousClock.now < end {
            let began = ContinuousClock.now
            try await buyers.probe(halls, within: .seconds(30))
            slowest = max(slowest, ContinuousClock.now - began)
        }
        return slowest
    }
}
