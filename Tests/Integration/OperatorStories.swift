import Audit
import Contracts
import FleetInspection
import Foundation
import Operations
import OrchestratorService
import Postgres
import RabbitMQ
import TestKit
import Testing

/// What an operator sees and can mend.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `An operator` {
    private static let filed = ["DEAD_LETTERS": "filed"]

    @Test func `without a key is refused on every route`() async throws {
        try await withFleet { fleet in
            for path in ["verify", "dead", "status", "fleet", "queues", "timers", "actions", "letters/x"] {
                let answer = try await fleet.call("GET", "/ops/\(path)")
                #expect(answer.status == 401, "\(path)")
                #expect(answer.headers["www-authenticate"] == "Bearer")
                #expect(try answer.json["code"] as? String == "operator-key-required")
            }
            for wrong in ["Bearer ", "Bearer wrong-key-of-the-operator", "Basic \(TestFleet.operatorKey)"] {
                let answer = try await fleet.call("GET", "/ops/dead", headers: ["Authorization": wrong])
                #expect(answer.status == 401, "\(wrong)")
            }
            for path in ["dead/payment.commands/replay", "dead/payment.commands/drop", "sagas/x/redrive"] {
                #expect(try await fleet.call("POST", "/ops/\(path)", body: "{}").status == 401, "\(path)")
            }
            #expect(try await fleet.operate("GET", "/dead").status == 200)
        }
    }

    @Test func `finds a poison message, reads why, and drops it for a reason that is kept`() async throws {
        try await withFleet(Self.filed) { fleet in
            try await fleet.withUpstream { upstream in
                try await upstream.publish(Data("{}".utf8), kind: "purchase.dream.v1", messageID: "poison")
            }
            let group = try await fleet.groups(until: 1)[0]
            #expect(group.queue == "orchestrator.commands")
            #expect(group.reason == "unknown-kind: purchase.dream.v1")
            let page = try await fleet.operate("GET", "/dead/orchestrator.commands?group=\(group.group)")
            let letter = try #require(try page.decode(LettersReading.self).items.first)
            #expect(letter.messageId == "poison")
            let detail = try await fleet.operate("GET", "/letters/\(letter.letter)").decode(DeadLetterDetail.self)
            #expect(detail.body == "{}")
            #expect(detail.headers["buried-from"] == "orchestrator.commands")

            let path = "/dead/orchestrator.commands/drop"
            #expect(try await fleet.operate("POST", path, body: #"{"group":"\#(group.group)"}"#).status == 422)
            let dry = try await fleet.operate("POST", path, body: #"{"group":"\#(group.group)","dryRun":true}"#)
            #expect(try dry.decode(DeadLetterImpact.self).letters == 1)
            let dropped = try await fleet.operate(
                "POST", path, body: #"{"group":"\#(group.group)","reason":"a dream"}"#)
            #expect(try dropped.decode(DeadLetterOutcome.self).letters == [letter.letter])
            #expect(try await fleet.groups(until: 0).isEmpty)
            let actions = try await fleet.operate("GET", "/actions").decode(ActionsReading.self).items
            #expect(actions.map(\.did) == ["drop"])
            #expect(actions.first?.by == "ada")
            #expect(actions.first?.reason == "a dream")
        }
    }

    @Test func `replays a start that was buried, and its effect happens once`() async throws {
        try await withFleet(Self.filed) { fleet in
            let event = try await fleet.publish()
            let body = Data(#"{"userId":"ada","eventId":"\#(event)","quantity":2}"#.utf8)
            for _ in 0..<2 {
                try await fleet.bury(body, kind: "purchase.start.v1", messageID: "order-1")
                _ = try await fleet.groups(until: 1)
                let answer = try await fleet.operate(
                    "POST", "/dead/orchestrator.commands/replay", body: #"{"limit":1,"reason":"it was early"}"#)
                #expect(try answer.decode(DeadLetterOutcome.self).letters.count == 1)
                #expect(try await fleet.groups(until: 0).isEmpty)
                try await until("somebody bought") {
                    try await fleet.count("reservation.hold WHERE status = 'sold'") > 0
                }
            }
            #expect(try await fleet.count("orchestrator.operator_action WHERE reason = 'it was early'") == 2)
            #expect(try await fleet.count("orchestrator.saga WHERE user_id = 'ada'") == 1)
            #expect(try await fleet.available(event) == 98)
            try await fleet.expectInvariants()
        }
    }

    @Test func `sees that a replayed letter came back`() async throws {
        try await withFleet(Self.filed) { fleet in
            try await fleet.bury(Data("[]".utf8), kind: "purchase.start.v1", messageID: "broken")
            _ = try await fleet.groups(until: 1)
            let replay = try await fleet.operate("POST", "/dead/orchestrator.commands/replay", body: "{}")
            let action = try #require(try replay.decode(DeadLetterOutcome.self).action)
            try await until("the letter is back") {
                try await fleet.operate("GET", "/actions/\(action)").decode(OperatorAction.self).returned == 1
            }
            let page = try await fleet.operate("GET", "/dead/orchestrator.commands").decode(LettersReading.self)
            #expect(page.items.map(\.times) == [2])
            #expect(page.items.first?.reason.hasPrefix("malformed-body") == true)
        }
    }

    @Test func `is told by the saga that its command was buried, and whose turn it is`() async throws {
        try await withFleet(Self.filed) { fleet in
            let started = try await fleet.start(
                try await fleet.publish(), #""quantity":2,"paymentMethod":"sim_never""#)
            let id = try started.decode(StartedReading.self).sagaId
            _ = try await fleet.saga(id) { $0.state == "charging" }
            try await fleet.bury(
                Data("{}".utf8), kind: "payment.charge.v1", messageID: MessageID.make().description,
                from: "payment.commands", because: "failed: permission denied", saga: id)
            try await until("the saga needs attention") {
                try await fleet.call("GET", "/sagas?attention=true").json["items"].map { "\($0)".contains("\(id)") }
                    ?? false
            }
            let story = try await fleet.operate("GET", "/sagas/\(id)/explain").decode(SagaExplanation.self)
            #expect(story.owner == "payment")
            #expect(story.waitsFor == "the payment to be captured")
            #expect(story.needsAttention?.contains("permission denied") == true)
            #expect(story.headline.contains("2 tickets in Floor for 90.00 EUR: charging."))
            #expect(story.lines.count == 2)
            #expect(story.deadLetters.map(\.queue) == ["payment.commands"])
            let dry = try await fleet.operate("POST", "/dead/payment.commands/replay", body: #"{"dryRun":true}"#)
            let impact = try dry.decode(DeadLetterImpact.self)
            #expect(impact.sagas == [id])
            #expect(impact.amounts == [Money(currency: "EUR", minor: 9_000)])
            #expect(try await fleet.operate("POST", "/sagas/\(id)/redrive").status == 202)
            #expect(try await fleet.call("POST", "/sagas/\(id)/cancel").status == 202)
            let ended = try await fleet.saga(id) { $0.outcome != nil }
            #expect(ended.outcome == "refused")
        }
    }

    @Test func `sees the queues with the management API and without`() async throws {
        let url = try #require(TestServers.managementURL)
        try await withFleetServers { database, broker in
            for changes in [[:], ["AMQP_MANAGEMENT_URL": url]] {
                try await runFleet(database, broker, changes) { fleet in
                    try await until("every queue has its reader") {
                        let queues = try await fleet.operate("GET", "/queues").decode(QueuesReading.self).queues
                        let work = queues.filter { $0.purpose == .work }
                        return queues.count == 35 && work.count == 7 && work.allSatisfy { $0.consumers == 1 }
                    }
                    let queues = try await fleet.operate("GET", "/queues").decode(QueuesReading.self).queues
                    #expect(queues.allSatisfy { ($0.unacked == nil) == changes.isEmpty })
                    #expect(queues.allSatisfy { $0.oldestAgeSeconds == nil })
                }
            }
        }
    }

    @Test func `has everything in one answer`() async throws {
        try await withFleet { fleet in
            let started = try await fleet.start(
                try await fleet.publish(), #""quantity":3,"paymentMethod":"sim_never","holdSeconds":50"#)
            let id = try started.decode(StartedReading.self).sagaId
            _ = try await fleet.saga(id) { $0.state == "charging" }
            try await until("the timer is set") {
                try await fleet.operate("GET", "/timers").decode(TimersReading.self).timers.map(\.sagaId) == [id]
            }
            var status = try await fleet.operate("GET", "/status").decode(StatusAnswer.self)
            try await until("it is counted, which a slow database makes the census do") {
                status = try await fleet.operate("GET", "/status").decode(StatusAnswer.self)
                return status.openSagas?.isEmpty == false
            }
            #expect(status.openSagas == ["charging": 1])
            #expect(status.oldestOpenSaga == id)
            #expect(status.activeHolds == 3)
            #expect(status.deadLetters == 0)
            #expect(status.components.allSatisfy { $0.status == "ready" })
        }
    }

    @Test func `cannot change what was done`() async throws {
        try await withFleet(Self.filed) { fleet in
            let owner = fleet.database.owner()
            await #expect(throws: PostgresError.self) {
                try await owner.script("DELETE FROM orchestrator.operator_action")
            }
            await #expect(throws: PostgresError.self) {
                try await owner.script("UPDATE orchestrator.operator_action SET reason = 'none'")
            }
            await owner.close()
        }
    }
}

private struct LettersReading: Decodable { let items: [DeadLetterSummary] }
private struct ActionsReading: Decodable { let items: [OperatorAction] }
private struct QueuesReading: Decodable { let queues: [QueueReading] }
private struct TimersReading: Decodable { let timers: [TimerReading] }
private struct GroupsReading: Decodable { let groups: [DeadLetterGroup] }
private struct StartedReading: Decodable { let sagaId: SagaID }

extension TestFleet {
    fileprivate func groups(until count: Int) async throws -> [DeadLetterGroup] {
        var groups: [DeadLetterGroup] = []
        try await until("there are \(count) groups of dead letters") {
            groups = try await operate("GET", "/dead").decode(GroupsReading.self).groups
            return groups.count == count
        }
        return groups
    }

    /// Lays a message among the dead letters of a queue, as a lane does.
    fileprivate func bury(
        _ body: Data, kind: String, messageID: String, from queue: String = "orchestrator.commands",
        because reason: String = "failed: no reason", saga: SagaID? = nil
    ) async throws {
        try await withUpstream { upstream in
            let properties = Properties(
                messageID: messageID, correlationID: saga?.description, type: kind, contentType: "application/json",
                headers: ["buried-because": .string(reason), "buried-from": .string(queue), "attempt": .integer(5)])
            let refusals = try await upstream.publisher.publish([
                Publication(
                    exchange: "turnstile.dead", routingKey: queue, isMandatory: true, properties: properties,
                    body: body)
            ])
            #expect(refusals.isEmpty)
        }
    }
}
