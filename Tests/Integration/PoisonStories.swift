import Contracts
import FleetRuntime
import Foundation
import Logging
import RabbitMQ
import TestKit
import Testing

/// Every text field of every way in is fed every poison; afterwards everybody works, and nothing raw is shown to anybody.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `A poisonous text` {
    @Test(arguments: [FleetLogHandler.Format.json, .text])
    func `in any field of any way in leaves the fleet working, and its readers' screens clean`(
        format: FleetLogHandler.Format
    ) async throws {
        let lines = LogLines(format)
        try await withFleet(["DEAD_LETTERS": "filed"], logger: lines.logger) { fleet in
            let event = try await fleet.publish(
                #"{"name":"Floor","price":{"currency":"KWD","minor":5000},"capacity":100000}"#)
            try await fleet.feedBodies(event)
            try await fleet.feedAddresses()
            try await fleet.feedHeaders(event)
            try await fleet.feedBroker(event)
            try await fleet.expectCleanScreens()
            #expect(try await fleet.buy(event).outcome == "completed")
            try await fleet.expectInvariants()
            let metrics = String(decoding: try await fleet.call("GET", "/metrics").body, as: UTF8.self)
            #expect(Poison.rawLines(in: metrics).isEmpty)
        }
        #expect(!lines.all.isEmpty)
        for line in lines.all { #expect(Poison.rawLines(in: line).isEmpty && !line.contains("\n")) }
        let troubles = lines.all.filter { $0.contains("a request failed") || $0.contains("unavailable") }
        #expect(troubles.isEmpty)
    }
}

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

    fileprivate func feedBodies(_ event: EventID) async throws {
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
    fileprivate func feedAddresses() async throws {
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
    fileprivate func feedHeaders(_ event: EventID) async throws {
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
    fileprivate func feedBroker(_ event: EventID) async throws {
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

    /// What an operator looks at afterwards.
    fileprivate func expectCleanScreens() async throws {
        try await until("every dead letter is filed") {
            let messages = try await count("orchestrator.dead_letter")
            return messages > 100
        }
        let sagas = try await ask("SELECT id::text FROM orchestrator.saga ORDER BY id DESC LIMIT 40", as: String.self)
        let letters = try await ask(
            "SELECT DISTINCT ON (fingerprint) id::text FROM orchestrator.dead_letter", as: String.self)
        var commands = [["verify"], ["verify", "--json"], ["status"], ["fleet"], ["queues"], ["timers"]]
        commands += [["dead", "list"], ["dead", "list", "orchestrator.commands", "--limit", "200"], ["dead", "log"]]
        commands += [["sagas", "list", "--limit", "200"], ["events", "list", "--limit", "200"], ["doctor"]]
        commands += [
            ["sagas", "list", "--limit", "200", "--json"], ["dead", "list", "orchestrator.commands", "--json"],
        ]
        commands += sagas.prefix(5).map { ["sagas", "explain", $0] } + sagas.prefix(5).map { ["sagas", "show", $0] }
        commands += letters.prefix(40).map { ["dead", "show", $0] }
        commands += Poison.refused.filter { !$0.text.contains("\0") }.map { ["sagas", "explain", $0.text] }
        for arguments in commands {
            let (status, output) = try await turnstile(arguments)
            let raw = Poison.rawLines(in: output)
            #expect(raw.isEmpty, "\(arguments): \(raw)")
            let isFoolish = arguments.first == "sagas" && arguments.count == 3 && SagaID(arguments[2]) == nil
            #expect(isFoolish || arguments == ["doctor"] || status == 0, "\(arguments): \(output)")
        }
        for path in ["/status", "/verify", "/dead", "/queues", "/fleet", "/timers", "/actions"] {
            let answer = try await operate("GET", path)
            #expect(answer.status == 200, "\(path)")
        }
    }

    private func turnstile(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        let program = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "turnstile")
        return try await Command.attempt(
            program.path, arguments,
            environment: [
                "TURNSTILE_URL": url, "OPERATOR_KEY": Self.operatorKey, "DATABASE_URL": database.url,
                "AMQP_URL": brokerURL,
            ])
    }
}

extension String {
    /// So many code points, however few characters they make.
    fileprivate func first(_ count: Int) -> String {
        String(String.UnicodeScalarView(unicodeScalars.prefix(count)))
    }
}
