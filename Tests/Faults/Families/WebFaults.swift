import Connections
import Contracts
import Foundation
import Glibc
import TestKit

/// Clients that send too much, too little, too slowly, too often or nonsense; and settings and workers that fail.
extension Fault {
    static let web: [Fault] =
        bodies + clients + crowds + [
            Fault("K2", "notification and recommendation hang", how: "SIGSTOP to both, 15 s, SIGCONT") { stage in
                let slow = [try await stage.fleet.first(.notification), try await stage.fleet.first(.recommendation)]
                for member in slow { try member.signal(SIGSTOP) }
                let before = try await stage.books.count("orchestrator.saga WHERE outcome = 'completed'")
                try await stage.pause(.seconds(15))
                let sold = try await stage.books.count("orchestrator.saga WHERE outcome = 'completed'") - before
                for member in slow { try member.signal(SIGCONT) }
                guard sold > 50 else { throw Trouble("only \(sold) purchases were completed in 15 s") }
                return "\(sold) purchases were completed meanwhile"
            },
            Fault("K6", "settings are wrong", how: "bad URLs, ports, numbers and roles; each process once") { stage in
                let cases: [(name: String, value: String)] = [
                    ("AMQP_URL", "http://nowhere"), ("AMQP_URL", "amqp://a:b@c:notaport/"),
                    ("REDIS_URL", "redis://:x:y"),
                    ("STEP_TIMEOUT_MS", "soon"), ("BATCH_MAX", "0"), ("LANES", "-1"), ("HOLD_SECONDS", "99999999"),
                    ("LOG_LEVEL", "loud"), ("LOG_FORMAT", "poem"), ("PAYMENT_PROVIDER", "cash"), ("HTTP_PORT", "70000"),
                ]
                var lines = 0
                for (name, value) in cases {
                    for (program, arguments) in [("orchestrator", [String]()), ("worker", ["payment"])] {
                        var settings = try await stage.fleet.settings(of: .payment, 8)
                        settings[name] = value
                        let (status, output) = try await Command.attempt(
                            stage.place.program(program).path, arguments, environment: settings, within: .seconds(10))
                        let said = output.split(separator: "\n")
                        guard status == 78, said.count == 1, said[0].contains(name) else {
                            throw Trouble("\(program) with \(name)=\(value): status \(status): \(output.prefix(300))")
                        }
                        lines += 1
                    }
                }
                let (status, _) = try await Command.attempt(
                    stage.place.program("worker").path, ["juggler"], within: .seconds(10))
                guard status == 64 else { throw Trouble("an unknown role ends with status \(status)") }
                return "\(lines) times status 78 and one line that names the setting"
            },
        ]

    private static let bodies = [
        Fault(
            "I-1", "bodies larger than the limit, of no length, of a false length, compressed",
            how: "raw requests to POST /saga/start and /events"
        ) {
            stage in
            let raw = RawConnection(port: try await stage.fleet.first(.orchestrator).port)
            let head = "POST /saga/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            let big = String(repeating: "x", count: 70_000)
            let cases: [(what: String, parts: [String], answers: [Int])] = [
                ("too long", [head + "Content-Length: 70000\r\nConnection: close\r\n\r\n", big], [413]),
                (
                    "chunked and too long",
                    [head + "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"]
                        + (0..<70).map { _ in "400\r\n" + String(repeating: "x", count: 1_024) + "\r\n" } + [
                            "0\r\n\r\n"
                        ], [413]
                ),
                ("a length of a billion", [head + "Content-Length: 1000000000\r\n\r\n", "{}"], [413]),
                ("a negative length", [head + "Content-Length: -1\r\n\r\n{}"], [400]),
                ("two lengths", [head + "Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}"], [400]),
                (
                    "length and chunks", [head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"],
                    [400]
                ),
                (
                    "compressed",
                    [head + "Content-Encoding: gzip\r\nContent-Length: 4\r\nConnection: close\r\n\r\n\u{1f}\u{08}ab"],
                    [400, 415, 422]
                ),
                (
                    "a header of 100 KB", [head + "X: " + String(repeating: "h", count: 100_000) + "\r\n\r\n"],
                    [400, 431]
                ),
            ]
            var told: [String] = []
            for (what, parts, answers) in cases {
                let (answer, took) = try await raw.say(parts, within: .seconds(10))
                let status = Int(answer.split(separator: " ").dropFirst().first ?? "") ?? 0
                guard answers.contains(status) else {
                    throw Trouble("\(what): \(answer.prefix(100)) after \(took.text)")
                }
                told.append("\(what) \(status)")
            }
            return told.joined(separator: ", ")
        },
        Fault("I-2", "bodies that are no purchase", how: "the poison corpus and broken wishes over HTTP") { stage in
            let url = "\(await stage.fleet.orchestratorURLs[0])/saga/start"
            let event = stage.halls.floor
            let wishes = [
                #"{"userId":"a","eventId":"\#(event)","tier":"Floor","quantity":1,"price":1}"#,
                #"{"userId":"a","eventId":"\#(event)","tier":"Floor","quantity":1,"quantity":1e400}"#,
                #"{"userId":"","eventId":"\#(event)","tier":"Floor","quantity":1}"#,
                #"{"userId":"\u0000","eventId":"\#(event)","tier":"Floor","quantity":1}"#,
                #"{"userId":"a","eventId":"nobody","tier":"Floor","quantity":1}"#,
                #"{"userId":"a","eventId":"\#(EventID.make())","quantity":1}"#,
                #"{"userId":"a","eventId":"\#(event)","tier":"Moon","quantity":1}"#,
                #"{"userId":"a","eventId":"\#(event)","tier":"Floor","seats":["A","A"]}"#,
            ].map { Data($0.utf8) }
            var statuses: [Int: Int] = [:]
            for body in Poison.bodies + wishes {
                let answer = try await stage.web.call("POST", url, body: body)
                statuses[answer.status, default: 0] += 1
                let isProblem = answer.text("code") != nil
                guard [400, 404, 413, 415, 422].contains(answer.status), isProblem else {
                    throw Trouble("status \(answer.status) for \(String(decoding: body.prefix(120), as: UTF8.self))")
                }
            }
            return "problem details each time: "
                + statuses.sorted { $0.key < $1.key }.map { "\($0.value)x \($0.key)" }.joined(separator: ", ")
        },
        Fault("I-8", "quantities that are none", how: "0, -1, 1.5, 11, 2^63, \"2\", 1e3, true, null") { stage in
            let url = "\(await stage.fleet.orchestratorURLs[0])/saga/start"
            var told: [String] = []
            for quantity in ["0", "-1", "1.5", "11", "9223372036854775808", "\"2\"", "1e3", "true", "null", "[1]"] {
                let body =
                    #"{"userId":"q-\#(UUID())","eventId":"\#(stage.halls.floor)","tier":"Floor","quantity":\#(quantity)}"#
                let status = try await stage.web.call("POST", url, body: Data(body.utf8)).status
                guard [400, 422].contains(status) else { throw Trouble("quantity \(quantity): status \(status)") }
                told.append("\(quantity) \(status)")
            }
            return told.joined(separator: ", ")
        },
    ]

    private static let crowds = [
        Fault(
            "I-12", "more connections than descriptors",
            how:
                "1,200 connections of one address, 50 of them asking, to an orchestrator that may open 1,024 files; 15 s"
        ) { stage in
            Descriptors.raiseLimit()
            try await stage.fleet.kill9(try await stage.fleet.first(.orchestrator))
            let member = try await stage.fleet.start(.orchestrator, descriptors: 1_024)
            try await stage.fleet.ready()
            let crowd = RawConnection(port: member.port, source: "127.0.0.2")
            let ask = "GET /events?limit=1 HTTP/1.1\r\nHost: x\r\n\r\n"
            async let answers = withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<1_200 {
                    group.addTask {
                        let parts = number < 50 ? Array(repeating: ask, count: 14) : []
                        return try await crowd.say(
                            parts, every: .seconds(1), within: .seconds(15), untilClosed: true
                        ).answer
                    }
                }
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }
            var longest = Duration.zero
            let end = ContinuousClock.now + .seconds(12)
            while ContinuousClock.now < end {
                let began = ContinuousClock.now
                let answer = try await stage.web.call(
                    "GET", "http://127.0.0.1:\(member.port)/events?limit=1", within: .seconds(5))
                guard answer.status == 200 else { throw Trouble("a bystander got \(answer.status)") }
                longest = max(longest, ContinuousClock.now - began)
                try await stage.pause(.milliseconds(100))
            }
            // Those that are admitted stay open for longer than the crowd waits.
            let closed = try await answers.filter { $0 != "still open" }
            let told = closed.count { $0.hasPrefix("HTTP/1.1 503") }
            guard member.status == nil else { throw Trouble("the orchestrator ended: \(member.status ?? -1)") }
            guard closed.count > 500, told > 0 else {
                throw Trouble("only \(closed.count) connections were refused, \(told) of them with 503")
            }
            guard longest < .seconds(2) else { throw Trouble("a bystander waited for \(longest.text)") }
            try await stage.fleet.kill9(member)
            try await stage.fleet.up()
            return
                "\(closed.count) were refused, \(told) of them with 503, the rest closed; bystanders waited \(longest.text) at most"
        }
    ]

    private static let clients = [
        Fault(
            "I-3", "clients that send a byte a second, or nothing",
            how: "300 connections with half a head, 100 with half a body, 40 s"
        ) { stage in
            let raw = RawConnection(port: try await stage.fleet.first(.orchestrator).port)
            let head = "POST /saga/start HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            let before = await stage.buyers.tally.accepted
            let closed = try await withThrowingTaskGroup(of: Duration?.self) { group in
                for number in 0..<400 {
                    group.addTask {
                        let isBody = number % 4 == 0
                        let parts =
                            (isBody ? [head + "Content-Length: 500\r\n\r\n"] : [head])
                            + (0..<60).map { _ in isBody ? " " : "X: y\r\n" }
                        let (answer, took) = try await raw.say(
                            parts, every: .seconds(1), within: .seconds(45), untilClosed: true)
                        return answer == "still open" ? nil : took
                    }
                }
                return try await group.reduce(into: [Duration]()) { if let took = $1 { $0.append(took) } }
            }
            let sold = await stage.buyers.tally.accepted - before
            guard closed.count == 400 else {
                throw Trouble("\(400 - closed.count) of 400 were still served after 45 s")
            }
            return
                "all were closed, the last after \(closed.max()?.text ?? ""); \(sold) purchases were accepted meanwhile"
        },
        Fault(
            "I-7", "idempotency keys are missing, too long, used for something else, used at once",
            how: "requests with each"
        ) { stage in
            let url = "\(await stage.fleet.orchestratorURLs[0])/saga/start"
            let key = UUID().uuidString
            let wish = { @Sendable (quantity: Int) in
                Data(
                    #"{"userId":"k-\#(key)","eventId":"\#(stage.halls.floor)","tier":"Floor","quantity":\#(quantity)}"#
                        .utf8)
            }
            let sagas = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<30 {
                    group.addTask {
                        let answer = try await stage.web.call(
                            "POST", url, body: wish(1), headers: ["Idempotency-Key": key])
                        guard answer.status == 202 else { throw Trouble("status \(answer.status)") }
                        return answer.text("sagaId") ?? ""
                    }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            guard sagas.count == 1 else { throw Trouble("one key began \(sagas.count) sagas") }
            let other = try await stage.web.call("POST", url, body: wish(2), headers: ["Idempotency-Key": key]).status
            let long = try await stage.web.call(
                "POST", url, body: wish(1), headers: ["Idempotency-Key": String(repeating: "k", count: 300)]
            ).status
            guard other == 422, long == 422 else { throw Trouble("another body \(other), a long key \(long)") }
            return "30 at once are one saga; another body 422, a key of 300 bytes 422"
        },
        Fault(
            "I-11", "clients hang up before the answer",
            how: "120 starts with a patience of 1 to 12 ms, each repeated under its key"
        ) { stage in
            let url = "\(await stage.fleet.orchestratorURLs[0])/saga/start"
            let session = UUID().uuidString
            let hangUps = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<120 {
                    group.addTask {
                        let body = Data(
                            #"{"userId":"gone-\#(number)-\#(session)","eventId":"\#(stage.halls.floor)","tier":"Floor","quantity":1}"#
                                .utf8)
                        let headers = ["Idempotency-Key": "gone-\(number)-\(session)"]
                        var hangUps = 0
                        do {
                            _ = try await stage.web.call(
                                "POST", url, body: body, headers: headers, within: .milliseconds(1 + number % 12))
                        } catch {
                            hangUps = 1
                        }
                        let answer = try await stage.web.call("POST", url, body: body, headers: headers)
                        guard answer.status == 202 else { throw Trouble("status \(answer.status)") }
                        return hangUps
                    }
                }
                return try await group.reduce(0, +)
            }
            let sagas = try await stage.books.count("orchestrator.saga WHERE user_id LIKE 'gone-%-\(session)'")
            guard sagas == 120 else { throw Trouble("120 buyers, \(sagas) sagas") }
            return "\(hangUps) hung up; 120 buyers have 120 sagas"
        },
    ]
}
