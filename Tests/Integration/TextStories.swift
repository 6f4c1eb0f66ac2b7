import Contracts
import Foundation
import Operations
import OrchestratorService
import RabbitMQ
import TestKit
import Testing
import WireJSON

/// What becomes of texts that are not as they seem.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `A text` {
    @Test(arguments: ["correlation_id", "correlation-id", "message_id", "reply_to"])
    func `with a NUL in a property is refused, and every reader goes on`(place: String) async throws {
        try await withFleet(["DEAD_LETTERS": "filed"]) { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                try await upstream.publish(
                    Data(#"{"userId":"ada","eventId":"\#(event)","quantity":1}"#.utf8), kind: "purchase.start.v1",
                    messageID: place == "message_id" ? "a\0\\b" : "1",
                    replyTo: place == "reply_to" ? "a\0\\b" : nil,
                    correlationID: place == "correlation_id" ? "a\0\\b" : nil,
                    headers: place == "correlation-id" ? ["correlation-id": .string("a\0\\b")] : [:])
            }
            let group = try await fleet.deadGroups(1)[0]
            #expect(group.reason.hasPrefix("invalid-property: \(place.replacing("-", with: "_")) "))
            #expect(group.reason.hasSuffix(##""a\u{0}\b""##))
            #expect(try await fleet.count("orchestrator.saga") == 0)
            #expect(try await fleet.count("orchestrator.dead_letter WHERE (properties::jsonb) IS NULL") == 0)
            #expect(try await fleet.operate("GET", "/verify").status == 200)
            #expect(try await fleet.buy(event).outcome == "completed")
        }
    }

    @Test func `of bytes that are no UTF-8 is no key, for by replacement two would be one`() async throws {
        try await withFleet(["DEAD_LETTERS": "filed"]) { fleet in
            let event = try await fleet.publish()
            let body = #"{"userId":"ada","eventId":"\#(event)","quantity":1}"#
            for byte in [#"\xC4"#, #"\xD6"#] {
                let key = "$(printf 'Bestellung-\(byte)')"
                let answer = try await Command.run(
                    "bash",
                    [
                        "-c",
                        "curl --silent --header \"Idempotency-Key: \(key)\" --header 'Content-Type: application/json' "
                            + "--data '\(body)' '\(fleet.url)/saga/start'",
                    ])
                #expect(try WireFormat.decode(Problem.self, fromText: answer).code == .invalid, "\(answer)")
                try await Command.run(
                    "bash",
                    [
                        "-c",
                        "amqp-publish --url '\(fleet.brokerURL)' --exchange turnstile.commands "
                            + "--routing-key orchestrator --header 'type: purchase.start.v1' "
                            + "--header \"message-id: \(key)\" --body '\(body)'",
                    ])
            }
            let group = try await fleet.deadGroups(2)[0]
            #expect(group.reason.hasPrefix("invalid-property: message_id is not UTF-8: \"Bestellung-\\x"))
            let ids = try await fleet.ask("SELECT message_id FROM orchestrator.dead_letter", as: String.self)
            #expect(Set(ids) == [#"Bestellung-\xC4"#, #"Bestellung-\xD6"#])
            #expect(try await fleet.count("orchestrator.saga") == 0)
        }
    }

    @Test func `that is a message id of 255 broken bytes is kept whole among the dead letters`() async throws {
        try await withFleet(["DEAD_LETTERS": "filed"]) { fleet in
            try await Command.run(
                "bash",
                [
                    "-c",
                    "amqp-publish --url '\(fleet.brokerURL)' --exchange turnstile.commands --routing-key orchestrator "
                        + "--header 'type: purchase.start.v1' "
                        + #"--header "message-id: $(printf '\xFF%.0s' {1..250})" --body '{}'"#,
                ])
            let group = try await fleet.deadGroups(1)[0]
            let letters = try await fleet.operate("GET", "/dead/\(group.queue)").decode(LetterList.self)
            let id = try #require(letters.items.first?.letter)
            let detail = try await fleet.operate("GET", "/letters/\(id)").body
            let whole = String(repeating: #"\\xFF"#, count: 250)
            #expect(String(decoding: detail, as: UTF8.self).contains(whole))
        }
    }

    @Test func `that names a seat finds it in every form, and the tickets name it as it was published`() async throws {
        let (composed, combining) = ("\u{C9}-1", "E\u{301}-1")
        for (published, wished) in [(composed, combining), (combining, composed)] {
            try await withFleet { fleet in
                let event = try await fleet.publish(
                    #"{"name":"\#(published)","price":{"currency":"EUR","minor":1},"capacity":1,"#
                        + #""seats":["\#(published)"]}"#)
                let saga = try await fleet.buy(event, #""tier":"\#(wished)","seats":["\#(wished)"]"#)
                #expect(saga.outcome == "completed", "\(saga)")
                #expect(saga.tickets?.first?.seat.map { Array($0.utf8) } == Array(published.utf8))
                try await fleet.expectInvariants()
            }
        }
    }

    @Test func `that names two tiers or seats in two forms of one name is refused`() async throws {
        try await withFleet { fleet in
            let tier = { (name: String, seat: String) in
                #"{"name":"\#(name)","price":{"currency":"EUR","minor":1},"capacity":1,"seats":["\#(seat)"]}"#
            }
            for tiers in [
                tier("\u{E9}", "A") + "," + tier("e\u{301}", "B"), tier("A", "\u{E9}") + "," + tier("B", "e\u{301}"),
            ] {
                let answer = try await fleet.call("POST", "/events", body: TestFleet.event(tiers))
                #expect(answer.status == 422)
            }
        }
    }

    /// Such a command can only come from within; the worker must outlive it, and keep the two apart as its rows are.
    @Test func `that names a tier in two forms does not stop the reservation worker`() async throws {
        try await withFleet { fleet in
            let event = EventID.make()
            try await fleet.withUpstream { upstream in
                let body = [("\u{E9}", 3), ("e\u{301}", 5)].map { #"{"name":"\#($0)","capacity":\#($1)}"# }
                let stock = #"{"eventId":"\#(event)","tiers":[\#(body.joined(separator: ","))]}"#
                let message = Publication(
                    exchange: "turnstile.commands", routingKey: "reservation", isMandatory: true,
                    properties: Properties(messageID: "s", type: "reservation.stock.v1"), body: Data(stock.utf8))
                let refusals = try await upstream.publisher.publish([message])
                #expect(refusals.isEmpty)
                let reserves = ["\u{E9}", "e\u{301}"].map { tier in
                    Publication(
                        exchange: "turnstile.commands", routingKey: "reservation", isMandatory: true,
                        properties: Properties(
                            messageID: "r\(tier.utf8.count)", correlationID: "\(SagaID.make())",
                            type: "reservation.reserve.v1"),
                        body: Data(
                            #"{"eventId":"\#(event)","tier":"\#(tier)","quantity":2,"holdSeconds":60}"#.utf8)
                    )
                }
                _ = try await upstream.publisher.publish(reserves)
            }
            try await until("both tiers have their hold") {
                try await fleet.count("reservation.tier WHERE event_id = '\(event)' AND held = 2") == 2
            }
            #expect(try await fleet.buy(try await fleet.publish()).outcome == "completed")
        }
    }

    @Test func `with a control character is not sold to, so that every buyer is told`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            for user in [#"o\u0092brien"#, "o\u{92}brien"] {
                let answer = try await fleet.start(event, user: user)
                #expect(answer.status == 422)
                #expect(try answer.decode(Problem.self).errors?.first?.pointer == "/userId")
            }
            let answer = try await fleet.start(event, #""quantity":1,"email":"o\u0092brien@example.org""#)
            #expect(try answer.decode(Problem.self).errors?.first?.pointer == "/email")
            let saga = try await fleet.buy(event, user: "O'Brien \u{1F469}\u{200D}\u{1F692}")
            #expect(saga.outcome == "completed")
            try await until("the buyer is told") {
                try await fleet.count("notification.notification WHERE status = 'delivered'") == 1
            }
        }
    }
}

struct LetterList: Decodable {
    struct Item: Decodable {
        let letter: String
        let reason: String
    }

    let items: [Item]
}

extension TestFleet {
    /// The groups of dead letters, once so many letters are filed.
    func deadGroups(_ letters: Int) async throws -> [DeadLetterGroup] {
        struct Groups: Decodable { let groups: [DeadLetterGroup] }
        var groups: [DeadLetterGroup] = []
        try await until("\(letters) dead letters are filed") {
            groups = try await operate("GET", "/dead").decode(Groups.self).groups
            return groups.reduce(0) { $0 + $1.count } >= letters
        }
        return groups
    }
}
