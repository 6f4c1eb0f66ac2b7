import Contracts
import Foundation
import RabbitMQ
import TestKit
import Testing

/// Ways by which text comes in, each fed with every poison.
extension TestFleet {
    /// Texts as JSON strings, and strings that are none.
    private static let strings: [(json: String, poison: Poison, mustFail: Bool)] = {
        func quoted(_ text: String) -> String {
            let escaped = text.unicodeScalars.map { scalar in
                scalar.value < 0x20 || scalar == "\"" || scalar == "\\" || scalar.value == 0x7F
                    ? "\\u" + String(scalar.value + 0x10000, radix: 16).dropFirst() : String(scalar)
            }
            return "\"\(escaped.joined())\""
        }
        return Poison.refused.map { (quoted($0.text), $0, true) } + Poison.taken.map { (quoted($0.text), $0, false) }
            + Poison.brokenJSON.map { ($0.text, $0, true) }
    }()

    func feedBodies(_ event: EventID) async throws {
        let wishes = { (text: String) in
            [
                #"{"userId":\#(text),"eventId":"\#(event)","quantity":1}"#,
                #"{"userId":"u","eventId":\#(text),"quantity":1}"#,
                #"{"userId":"u","eventId":"\#(event)","quantity":1,"tier":\#(text)}"#,
                #"{"userId":"u","eventId":"\#(event)","seats":[\#(text)]}"#,
                #"{"userId":"u","eventId":"\#(event)","quantity":1,"email":\#(text)}"#,
                #"{"userId":"\#(uniqueUser())","eventId":"\#(event)","quantity":1,"paymentMethod":\#(text)}"#,
                #"{"userId":"u","eventId":"\#(event)","quantity":1,\#(text):1}"#,
            ]
        }
        let events = { (text: String) in
            [
                Self.event(#"{"name":\#(text),"price":{"currency":"EUR","minor":1},"capacity":1}"#),
                Self.event(#"{"name":"F","price":{"currency":\#(text),"minor":1},"capacity":1}"#),
                Self.event(#"{"name":"F","price":{"currency":"EUR","minor":1},"capacity":1,"seats":[\#(text)]}"#),
                Self.event(#"{"name":"F","price":{"currency":"EUR","minor":1},"capacity":1,\#(text):1}"#),
            ]
                + ["Concert", "Hall", "Graz", "2031-05-01T19:30:00Z"].map { word in
                    Self.event(#"{"name":"F","price":{"currency":"EUR","minor":1},"capacity":1}"#)
                        .replacing("\"\(word)\"", with: text)
                }
        }
        let choices = { (text: String) in
            [
                #"{"group":\#(text),"dryRun":true}"#, #"{"letters":[\#(text)],"dryRun":true}"#,
                #"{"group":"g","reason":\#(text)}"#,
            ]
        }
        for (text, poison, mustFail) in Self.strings {
            for wish in wishes(text) {
                try await expect(poison, mustFail, at: wish, call("POST", "/saga/start", body: wish))
            }
            for body in events(text) {
                try await expect(poison, mustFail, at: body, call("POST", "/events", body: body))
            }
            for choice in choices(text) {
                for action in ["replay", "drop"] {
                    let answer = try await operate("POST", "/dead/payment.commands/\(action)", body: choice)
                    try await expect(poison, mustFail, at: choice, answer)
                }
            }
        }
    }

    private func expect(_ poison: Poison, _ mustFail: Bool, at place: String, _ answer: Answer) async throws {
        let allowed = mustFail ? 400..<500 : 200..<500
        #expect(allowed.contains(answer.status), "\(poison) in \(place.debugDescription): \(answer.status)")
    }

    /// Queries and paths.
    func feedAddresses() async throws {
        let encoded =
            Poison.all.map { (String(describing: $0), Self.percentEncoded(Array($0.text.utf8))) }
            + Poison.bytes.map { ("\($0)", Self.percentEncoded($0)) }
        for (name, text) in encoded {
            let open = [
                "/sagas?userId=\(text)", "/sagas?state=\(text)", "/sagas?eventId=\(text)", "/sagas?cursor=\(text)",
                "/sagas?limit=\(text)", "/sagas?\(text)=1", "/events?cursor=\(text)", "/sagas/\(text)",
                "/events/\(text)", "/events/\(text)/availability", "/sagas/\(text)/stream", "/\(text)",
                "/recommendations?latitude=\(text)&longitude=0&radiusKm=1",
            ]
            for path in open {
                let answer = try await call("GET", path)
                #expect(answer.status < 500, "\(name) in \(path)")
            }
            for path in [
                "/dead/\(text)", "/dead/payment.commands?group=\(text)", "/letters/\(text)", "/actions/\(text)",
                "/sagas/\(text)/explain", "/timers?limit=\(text)",
            ] {
                let answer = try await operate("GET", path)
                #expect(answer.status < 500, "\(name) in \(path)")
            }
        }
    }

    private static func percentEncoded(_ bytes: [UInt8]) -> String {
        bytes.map { "%" + String(UInt16($0) + 0x100, radix: 16).dropFirst() }.joined()
    }

    /// HTTP headers, as bytes: a client library would refuse to send some of them.
    func feedHeaders(_ event: EventID) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: uniqueName("headers"))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { removeFolder(folder) }
        let values = Poison.all.map { Array($0.text.utf8) } + Poison.bytes
        for (number, bytes) in values.enumerated() {
            for name in ["Idempotency-Key", "traceparent", "Prefer", "Content-Type", "Authorization", "X-Request-ID"] {
                let file = folder.appending(path: "\(number)-\(name)")
                try (Data("\(name): ".utf8) + Data(bytes)).write(to: file)
            }
        }
        let body = #"{"userId":"u","eventId":"\#(event)","quantity":1}"#
        let codes = try await Command.run(
            "bash",
            [
                "-c",
                """
                for file in '\(folder.path)'/*; do
                    curl --silent --output /dev/null --write-out '%{http_code}\\n' --header 'Content-Type: application/json' \
                        --header @"$file" --data '\(body)' '\(url)/saga/start' || true
                done
                """,
            ])
        let failed = codes.split(separator: "\n").filter { $0.hasPrefix("5") }
        #expect(failed.isEmpty, "\(codes)")
    }

    /// Properties, headers and bodies of messages; the last purchase shows that all before it are done.
    func feedBroker(_ event: EventID) async throws {
        let body = { (text: String) in
            Data(#"{"userId":\#(text),"eventId":"\#(event)","quantity":1,"email":\#(text)}"#.utf8)
        }
        try await withUpstream { upstream in
            for (number, poison) in Poison.all.enumerated() {
                let start = Data(#"{"userId":"u\#(number)","eventId":"\#(event)","quantity":1}"#.utf8)
                let text = poison.text
                let short = text.utf8.count <= 255 ? text : text.first(100)
                try await upstream.publish(start, kind: "purchase.start.v1", messageID: short)
                try await upstream.publish(start, kind: short, messageID: "t\(number)")
                try await upstream.publish(
                    start, kind: "purchase.start.v1", messageID: "c\(number)", replyTo: upstream.queue,
                    correlationID: short)
                try await upstream.publish(
                    start, kind: "purchase.start.v1", messageID: "m\(number)", contentType: short)
                try await upstream.publish(
                    start, kind: nil, messageID: nil,
                    headers: [
                        "type": .string("purchase.start.v1"), "message-id": .string(text),
                        "correlation-id": .string(text), "traceparent": .string(text), "attempt": .string(text),
                        "causation-id": .string(text),
                    ])
                try await upstream.publish(
                    Data("{".utf8), kind: "purchase.start.v1", messageID: "h\(number)",
                    headers: [text.first(20): .string(text)])
            }
            for (number, (text, _, _)) in Self.strings.enumerated() {
                for kind in ["purchase.start.v1", "purchase.cancel.v1", "event.publish.v1"] {
                    try await upstream.publish(body(text), kind: kind, messageID: "\(kind) \(number)")
                    try await upstream.publish(
                        Data("{\(text):\(text)}".utf8), kind: kind, messageID: "\(kind)+\(number)")
                }
            }
            for poison in Poison.all where poison.text.utf8.count <= 200 && !poison.text.utf8.contains(0) {
                try await upstream.publish(
                    Data("{".utf8), kind: "purchase.start.v1", messageID: UUID().uuidString,
                    replyTo: "no such queue \(poison.text)")
            }
            try await upstream.start(event, messageID: "last")
            var isDone = false
            while !isDone {
                isDone = try await upstream.answers(1).contains {
                    $0.properties.correlationID == "order-last" && $0.properties.type == "purchase.completed.v1"
                }
            }
        }
    }

    /// The workers' own queues, as an older version of the orchestrator, or somebody within, might fill them.
    func feedWorkers(_ event: EventID) async throws {
        let commands = { (text: String) in
            [
                (
                    "reservation", "reservation.stock.v1",
                    #"{"eventId":"\#(EventID.make())","tiers":[{"name":\#(text),"capacity":1}]}"#
                ),
                (
                    "reservation", "reservation.reserve.v1",
                    #"{"eventId":"\#(event)","tier":\#(text),"quantity":1,"holdSeconds":60}"#
                ),
                ("reservation", "reservation.confirm.v1", #"{"userId":\#(text)}"#),
                ("payment", "payment.charge.v1", #"{"amount":{"currency":"EUR","minor":1},"method":\#(text)}"#),
                ("payment", "payment.charge.v1", #"{"amount":{"currency":\#(text),"minor":1},"method":"sim_ok"}"#),
                ("expiry", "expiry.schedule.v1", #"{"subject":\#(text),"dueAt":"2031-05-01T19:30:00.000Z"}"#),
                (
                    "notification", "notification.send.v1",
                    #"{"template":"purchase-refused","userId":\#(text),"email":\#(text),"eventId":"\#(event)","#
                        + #""amount":{"currency":"EUR","minor":1},"reason":\#(text),"tickets":[]}"#
                ),
                (
                    "recommendation", "recommendation.observe.v1",
                    #"{"userId":\#(text),"eventId":"\#(event)","weight":1}"#
                ),
            ]
        }
        try await withUpstream { upstream in
            for (text, _, _) in Self.strings {
                let publications = commands(text).map { role, kind, body in
                    Publication(
                        exchange: "turnstile.commands", routingKey: role, isMandatory: true,
                        properties: Properties(
                            messageID: UUID().uuidString, correlationID: "\(SagaID.make())", type: kind,
                            contentType: "application/json"),
                        body: Data(body.utf8))
                }
                _ = try await upstream.publisher.publish(publications)
            }
        }
    }
}

extension String {
    /// So many code points, however few characters they make.
    fileprivate func first(_ count: Int) -> String {
        String(String.UnicodeScalarView(unicodeScalars.prefix(count)))
    }
}
