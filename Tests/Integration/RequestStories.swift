import Contracts
import Foundation
import RabbitMQ
import SagaCore
import TestKit
import Testing
import WireJSON

/// An id belongs to one request, and its first answer is its answer.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `An id that its sender chose` {
    /// The kinds of commands that two requests can be of, in both orders.
    private static let kinds = ["start", "cancel", "publish"]
    private static let pairs = kinds.flatMap { first in kinds.map { (first, $0) } }

    @Test func `is refused at once for a second request, whatever the kinds of both, and nothing stops`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                for (number, pair) in Self.pairs.enumerated() {
                    let id = "shared-\(number)"
                    let first = try await started(fleet, event)
                    try await upstream.command(pair.0, id, event, cancelling: first)
                    if pair.0 == "cancel" {
                        _ = try await fleet.saga(first) { $0.reason == "cancelled" }
                    } else {
                        _ = try await upstream.answer(to: "first \(id)")
                    }
                    let second = try await started(fleet, event)
                    try await upstream.command(pair.1, id, event, cancelling: second, as: "second")
                    let answer = try await upstream.answer(to: "second \(id)")
                    #expect(answer.problem?.code == .keyReused, "\(pair): \(answer)")
                    // Nothing came of the second request, and everything of the first.
                    #expect(try await fleet.saga(second).state != "refused", "\(pair)")
                    for saga in [first, second] { _ = try await fleet.call("POST", "/sagas/\(saga)/cancel") }
                }
            }
            #expect(try await fleet.buy(event).outcome == "completed")
            #expect(try await fleet.count("orchestrator.saga WHERE needs_attention IS NOT NULL") == 0)
        }
    }

    @Test func `may be one that another purchase's messages will have, and costs nobody anything`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let answer = try await fleet.start(event, #""quantity":1,"paymentMethod":"sim_slow:1500""#)
            let victim = try answer.decode(SagaReading.self).sagaId
            try await fleet.withUpstream { upstream in
                let steps: [(Int, MessageKind, MessageKind)] = [
                    (1, .reserve, .reserved), (2, .charge, .captured), (3, .confirm, .confirmed),
                ]
                for (step, command, reply) in steps {
                    let id = MessageID.derived(
                        from: MessageID.derived(from: victim, step: step, kind: command).uuid, reply.rawValue)
                    let own = try await started(fleet, event)
                    try await upstream.command("cancel", id.description, event, cancelling: own)
                    let saga = try await fleet.saga(own) { $0.outcome != nil }
                    #expect(saga.reason == "cancelled")
                    try await upstream.command("start", "\(victim)", event, cancelling: own)
                }
                let watchdog = MessageID.derived(from: victim.uuid, "start")
                try await upstream.command("start", "\(watchdog)", event, cancelling: victim)
                #expect(try await upstream.answer(to: "first \(watchdog)").type == "purchase.accepted.v1")
            }
            #expect(try await fleet.saga(victim) { $0.outcome != nil }.outcome == "completed")
            try await fleet.expectInvariants()
        }
    }

    @Test func `is answered over AMQP as it was first, also when a rejected start could begin by now`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let first = try await started(fleet, event, user: "ada")
            try await fleet.withUpstream { upstream in
                for number in 1...3 {
                    try await upstream.start(event, messageID: "again", user: "ada")
                    let answer = try Reply(#require(try await upstream.answers(1).first))
                    #expect(answer.problem?.code == .purchaseInProgress, "attempt \(number): \(answer)")
                    if number == 1 {
                        _ = try await fleet.call("POST", "/sagas/\(first)/cancel")
                        _ = try await fleet.saga(first) { $0.outcome != nil }
                    }
                }
                try await upstream.start(event, messageID: "anew", user: "ada")
                #expect(try Reply(#require(try await upstream.answers(1).first)).type == "purchase.accepted.v1")
            }
        }
    }

    @Test func `is answered over HTTP as it was first, whatever has changed since`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish(
                #"{"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":1}"#)
            let first = try await started(fleet, event, user: "ada", key: "first")
            let busy = try await fleet.start(event, user: "ada", headers: ["Idempotency-Key": "busy"])
            #expect(try busy.json["code"] as? String == "purchase-in-progress")
            let wrong = try await fleet.start(event, #""quantity":11"#, headers: ["Idempotency-Key": "wrong"])
            #expect(wrong.status == 422)
            try await until("the tier looks sold out") {
                try await fleet.start(event, headers: ["Idempotency-Key": uniqueUser()]).status == 409
            }
            let late = try await fleet.start(event, user: "eve", headers: ["Idempotency-Key": "late"])
            #expect(try late.json["code"] as? String == "sold-out")
            // The start that was accepted stays so while nothing is left, and after it has ended.
            #expect(try await started(fleet, event, user: "ada", key: "first") == first)
            _ = try await fleet.call("POST", "/sagas/\(first)/cancel")
            _ = try await fleet.saga(first) { $0.outcome != nil }
            #expect(try await started(fleet, event, user: "ada", key: "first") == first)
            try await until("the tier is on sale again") {
                try await fleet.start(event, #""quantity":1,"paymentMethod":"sim_declined""#).status == 202
            }
            for (key, user, code) in [("busy", "ada", "purchase-in-progress"), ("late", "eve", "sold-out")] {
                let answer = try await fleet.start(event, user: user, headers: ["Idempotency-Key": key])
                #expect(answer.status == 409)
                #expect(try answer.json["code"] as? String == code)
            }
            let other = try await fleet.start(
                event, user: "ada", #""quantity":2"#, headers: ["Idempotency-Key": "busy"])
            #expect(try other.json["code"] as? String == "idempotency-key-reused")
        }
    }

    @Test func `of a cancel that was taken stays silent when it comes again after the end`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let saga = try await started(fleet, event)
            try await fleet.withUpstream { upstream in
                try await upstream.command("cancel", "c", event, cancelling: saga)
                _ = try await fleet.saga(saga) { $0.outcome != nil }
                try await upstream.command("cancel", "c", event, cancelling: saga)
                try await upstream.command("cancel", "d", event, cancelling: saga)
                let answer = try await upstream.answer(to: "first d")
                #expect(answer.problem?.code == .alreadyEnded)
                #expect(try await fleet.count("orchestrator.request WHERE state = 'rejected'") == 1)
            }
        }
    }

    @Test func `of thousands of refused starts is recorded without slowing anybody`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let busy = try await started(fleet, event, user: "ada")
            try await fleet.withUpstream { upstream in
                let body = Data(#"{"userId":"ada","eventId":"\#(event)","quantity":1}"#.utf8)
                let storm = (0..<5_000).map { number in
                    Publication(
                        exchange: "turnstile.commands", routingKey: "orchestrator", isMandatory: true,
                        properties: Properties(
                            messageID: "storm-\(number)", type: "purchase.start.v1", contentType: "application/json"),
                        body: body)
                }
                for start in stride(from: 0, to: storm.count, by: 500) {
                    #expect(try await upstream.publisher.publish(Array(storm[start..<start + 500])).isEmpty)
                }
                try await until("all are rejected, and remembered") {
                    try await fleet.count("orchestrator.request WHERE state = 'rejected'") == storm.count
                }
            }
            #expect(try await fleet.count("orchestrator.saga") == 1)
            #expect(try await fleet.saga(busy).outcome == nil)
            #expect(try await fleet.buy(event).outcome == "completed")
        }
    }

    /// A purchase that stays unpaid.
    private func started(
        _ fleet: TestFleet, _ event: EventID, user: String = uniqueUser(), key: String? = nil
    ) async throws -> SagaID {
        let answer = try await fleet.start(
            event, user: user, #""quantity":1,"paymentMethod":"sim_never""#,
            headers: key.map { ["Idempotency-Key": $0] } ?? [:])
        #expect(answer.status == 202, "\(String(decoding: answer.body, as: UTF8.self))")
        return try answer.decode(AcceptedReading.self).sagaId
    }
}

private struct AcceptedReading: Decodable {
    let sagaId: SagaID
}

/// An answer to an upstream system.
private struct Reply: CustomStringConvertible {
    let type: String
    let correlation: String
    let problem: Problem?

    init(_ delivery: Delivery) throws {
        type = delivery.properties.type ?? "none"
        correlation = delivery.properties.correlationID ?? "none"
        problem =
            type == "purchase.rejected.v1"
            ? try WireFormat.decode(PurchaseRejected.self, from: delivery.body).problem : nil
    }

    var description: String { "\(type) \(problem?.code.rawValue ?? "")" }
}

extension Upstream {
    /// Publishes a command of this kind under an id, known as `first id` or `second id`.
    fileprivate func command(
        _ kind: String, _ id: String, _ event: EventID, cancelling saga: SagaID, as name: String = "first"
    ) async throws {
        let (type, body) =
            switch kind {
            case "start":
                (
                    "purchase.start.v1",
                    #"{"userId":"\#(name)-\#(id)","eventId":"\#(event)","quantity":1,"paymentMethod":"sim_never"}"#
                )
            case "cancel": ("purchase.cancel.v1", #"{"sagaId":"\#(saga)"}"#)
            default:
                (
                    "event.publish.v1",
                    TestFleet.event(
                        #"{"name":"\#(name)","price":{"currency":"EUR","minor":100},"capacity":5}"#)
                )
            }
        try await publish(
            Data(body.utf8), kind: type, messageID: id, replyTo: queue, correlationID: "\(name) \(id)")
    }

    /// The next answer to a command; answers to others are passed over.
    fileprivate func answer(to correlation: String) async throws -> Reply {
        while true {
            for delivery in try await answers(1) {
                let reply = try Reply(delivery)
                if reply.correlation == correlation { return reply }
            }
        }
    }
}
