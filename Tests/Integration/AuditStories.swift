import Audit
import Contracts
import Foundation
import Operations
import OrchestratorService
import Postgres
import TestKit
import Testing

/// That whatever is done under an operator's key is written down for good.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(10)))
struct `The audit` {
    private static let filed = ["DEAD_LETTERS": "filed"]

    @Test func `has a line for everything that an operator changes, on every route`() async throws {
        try await withFleet(Self.filed) { fleet in
            let published = try await fleet.act("POST", "/events", TestFleet.event(Self.tier))
            let event = try published.decode(EventReading.self).eventId
            let paid = try await fleet.buy(event).sagaId
            let open = try await fleet.start(event, #""quantity":1,"paymentMethod":"sim_never""#)
                .decode(SagaReading.self).sagaId
            #expect(try await fleet.act("POST", "/sagas/\(paid)/refund").status == 202)
            #expect(try await fleet.act("POST", "/ops/sagas/\(open)/redrive").status == 202)
            #expect(try await fleet.act("POST", "/sagas/\(open)/cancel").status == 202)
            _ = try await fleet.saga(paid) { $0.outcome == "refunded" }
            #expect(try await fleet.act("POST", "/sagas/\(paid)/refund").status < 500)
            let start = #"{"userId":"eve","eventId":"\#(event)","quantity":1}"#
            #expect(try await fleet.act("POST", "/saga/start", start).status == 202)
            for (path, body) in [
                ("/ops/pauses", #"{"eventId":"\#(event)","reason":"a leak"}"#),
                ("/ops/pauses/end", #"{"eventId":"\#(event)"}"#),
            ] { #expect(try await fleet.act("POST", path, body).status == 200) }
            try await fleet.withUpstream { upstream in
                try await upstream.publish(Data("{}".utf8), kind: "purchase.dream.v1", messageID: "poison")
            }
            try await fleet.untilWaiting(1)
            for word in ["drop", "restore", "replay"] {
                let answer = try await fleet.act(
                    "POST", "/ops/dead/orchestrator.commands/\(word)", #"{"reason":"to see"}"#)
                #expect(try answer.decode(DeadLetterOutcome.self).letters.count == 1, "\(word)")
            }
            #expect(try await fleet.act("POST", "/ops/pauses", "{}").status == 422)

            let lines = try await fleet.audit()
            let wanted: [(String, String, String)] = [
                ("publish", "an event", "201 /events/\(event)"), ("refund", "saga \(paid)", "202"),
                ("redrive", "saga \(open)", "202"), ("cancel", "saga \(open)", "202"),
                ("start", "a purchase", "202 /sagas/"), ("pause", "event \(event)", "200"),
                ("resume", "event \(event)", "200"), ("drop", "orchestrator.commands", "200"),
                ("restore", "orchestrator.commands", "200"), ("replay", "orchestrator.commands", "200"),
            ]
            for (word, subject, result) in wanted {
                let line = lines.first {
                    $0.did == word && $0.subject == subject && $0.result?.hasPrefix(result) == true
                }
                #expect(line != nil, "\(word) \(subject): \(lines)")
            }
            #expect(lines.allSatisfy { $0.by == "ada" && $0.from == "127.0.0.1" })
        }
    }

    /// Every route that changes something is asked, wrongly where it must be: what is refused did nothing, and what did
    /// something has its line.
    @Test func `misses no route that answers an operator with success`() async throws {
        try await withFleet(Self.filed) { fleet in
            let event = try await fleet.publish()
            var lines = try await fleet.audit().count
            for path in try Self.postRoutes() {
                let place = path.replacing("{id}", with: "\(event)").replacing("{queue}", with: "payment.commands")
                let answer = try await fleet.act("POST", place, #"{"all":true,"reason":"to see"}"#)
                let now = try await fleet.audit().count
                let isIdle = String(decoding: answer.body, as: UTF8.self).contains(#""letters":[]"#)
                #expect(answer.status >= 400 || isIdle || now == lines + 1, "\(path): \(answer.status)")
                lines = now
            }
        }
    }

    @Test func `remembers what came back, whatever becomes of the letter, and lets nobody change a line`() async throws
    {
        try await withFleet(Self.filed) { fleet in
            try await fleet.withUpstream { upstream in
                try await upstream.publish(Data("[]".utf8), kind: "purchase.start.v1", messageID: "broken")
            }
            try await fleet.untilWaiting(1)
            let replay = try await fleet.act("POST", "/ops/dead/orchestrator.commands/replay", "{}")
            let action = try #require(try replay.decode(DeadLetterOutcome.self).action)
            try await until("the letter is back") {
                try await fleet.operate("GET", "/actions/\(action)").decode(OperatorAction.self).returned == 1
            }
            _ = try await fleet.act("POST", "/ops/dead/orchestrator.commands/drop", #"{"reason":"nonsense"}"#)
            #expect(try await fleet.operate("GET", "/actions/\(action)").decode(OperatorAction.self).returned == 1)

            let owner = fleet.database.owner()
            for table in ["operator_action", "operator_result", "dead_letter_return"] {
                for sql in ["DELETE FROM", "TRUNCATE"] {
                    await #expect(throws: PostgresError.self, "\(sql) \(table)") {
                        try await owner.script("\(sql) orchestrator.\(table)")
                    }
                }
            }
            await #expect(throws: PostgresError.self) {
                try await owner.script("UPDATE orchestrator.operator_result SET result = '200'")
            }
            await owner.close()
        }
    }

    private static let tier = #"{"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":100}"#

    /// The POST routes of the contract, which names every route that is served.
    private static func postRoutes() throws -> [String] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Contracts/openapi.yaml")
        var path = ""
        var routes: [String] = []
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            if line.hasPrefix("  /"), line.hasSuffix(":") { path = String(line.dropFirst(2).dropLast()) }
            if line == "    post:" { routes.append(path) }
        }
        #expect(routes.count > 9)
        return routes
    }
}

/// What an operator can do with letters beyond sending them again.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(10)))
struct `A dead letter` {
    @Test func `says who sent it, and comes back after it was dropped`() async throws {
        try await withFleet(["DEAD_LETTERS": "filed"]) { fleet in
            try await fleet.withUpstream { upstream in
                try await upstream.publish(
                    Data("{}".utf8), kind: "purchase.dream.v1", messageID: "poison", replyTo: upstream.queue,
                    correlationID: "order-7")
            }
            try await fleet.untilWaiting(1)
            let letter = try #require(try await fleet.letters("waiting").first)
            let detail = try await fleet.operate("GET", "/letters/\(letter.letter)").decode(DeadLetterDetail.self)
            #expect(detail.properties["message_id"] == "poison")
            #expect(detail.properties["correlation_id"] == "order-7")
            #expect(detail.properties["reply_to"]?.isEmpty == false)
            #expect(detail.properties["content_type"] == "application/json")

            _ = try await fleet.act("POST", "/ops/dead/orchestrator.commands/drop", #"{"reason":"a dream"}"#)
            #expect(try await fleet.letters("waiting").isEmpty)
            #expect(try await fleet.letters("dropped").map(\.letter) == [letter.letter])
            let body = #"{"letters":["\#(letter.letter)"],"reason":"it was none"}"#
            let restored = try await fleet.act("POST", "/ops/dead/orchestrator.commands/restore", body)
            #expect(try restored.decode(DeadLetterOutcome.self).letters == [letter.letter])
            #expect(try await fleet.letters("waiting").map(\.state) == [.waiting])
            #expect(try await fleet.letters("dropped").isEmpty)
        }
    }

    @Test func `is asked for in a queue that exists, or the names are told`() async throws {
        try await withFleet { fleet in
            for (method, path) in [("GET", ""), ("POST", "/replay"), ("POST", "/drop"), ("POST", "/restore")] {
                let answer = try await fleet.operate(
                    method, "/dead/payment.command\(path)", body: method == "POST" ? #"{"reason":"x"}"# : nil)
                #expect(answer.status == 404, "\(path)")
                #expect(try (answer.json["detail"] as? String)?.contains("payment.commands") == true)
            }
        }
    }
}

private struct ActionsReading: Decodable { let items: [OperatorAction] }
private struct LettersReading: Decodable { let items: [DeadLetterSummary] }
private struct GroupsReading: Decodable { let groups: [DeadLetterGroup] }

extension TestFleet {
    /// Does something under the operator's key, on any route.
    func act(_ method: String, _ path: String, _ body: String? = nil) async throws -> Answer {
        try await call(method, path, body: body, headers: ["Authorization": "Bearer \(Self.operatorKey)"])
    }

    fileprivate func audit() async throws -> [OperatorAction] {
        try await operate("GET", "/actions?limit=200").decode(ActionsReading.self).items
    }

    fileprivate func letters(_ state: String) async throws -> [DeadLetterSummary] {
        try await operate("GET", "/dead/orchestrator.commands?state=\(state)").decode(LettersReading.self).items
    }

    fileprivate func untilWaiting(_ count: Int) async throws {
        try await until("\(count) dead letters wait") {
            try await operate("GET", "/dead").decode(GroupsReading.self).groups.reduce(0) { $0 + $1.count } == count
        }
    }
}
