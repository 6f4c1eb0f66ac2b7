import Contracts
import Foundation
import Postgres
import TestKit
import Testing

/// What strangers do to the HTTP port, and what it costs others.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `A stranger at the HTTP port` {
    private static func request(_ lines: String..., body: String = "") -> String {
        (lines + ["Host: x", "Content-Type: application/json", "", body]).joined(separator: "\r\n")
    }

    @Test func `who expects 100-continue is told to send the body, or the last word at once`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let raw = RawConnection(port: fleet.port)
            let body = #"{"userId":"\#(uniqueUser())","eventId":"\#(event)","quantity":1}"#
            func answers(_ length: Int, _ more: String = "") async throws -> String {
                let head = Self.request(
                    "POST /saga/start HTTP/1.1", "Expect: 100-continue", "Content-Length: \(length)\(more)")
                return try await raw.say(
                    [head, body], every: .milliseconds(500), within: .seconds(20), untilClosed: true
                ).answer
            }
            let asked = try await answers(body.utf8.count, "\r\nConnection: close")
            #expect(asked.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202"), "\(asked)")
            let refused = try await answers(1_000_000)
            #expect(refused.hasPrefix("HTTP/1.1 413"), "\(refused)")
            #expect(refused.lowercased().contains("connection: close"))
            let other = try await raw.say(
                [Self.request("POST /saga/start HTTP/1.1", "Expect: sugar", "Content-Length: 2", body: "{}")],
                within: .seconds(20))
            #expect(other.answer.hasPrefix("HTTP/1.1 417"), "\(other.answer)")
        }
    }

    @Test func `whose body breaks off or whose chunks are wrong is no failure of ours`() async throws {
        try await withFleet { fleet in
            let raw = RawConnection(port: fleet.port)
            let whole = "POST /saga/start HTTP/1.1"
            for parts in [
                [Self.request(whole, "Transfer-Encoding: chunked", body: "5\r\n{\"use\r\nzzz\r\n")],
                [Self.request(whole, "Transfer-Encoding: chunked", body: "fffffffffffffffff\r\n{}")],
            ] {
                let answer = try await raw.say(parts, within: .seconds(20)).answer
                #expect(answer.hasPrefix("HTTP/1.1 400"), "\(answer)")
            }
            // Each hangs up in the middle of its body.
            for _ in 1...3 {
                _ = try await raw.say(
                    [Self.request(whole, "Content-Length: 500", body: #"{"userId""#)], within: .milliseconds(300))
            }
            try await until("the broken requests are counted as the client's") {
                let metrics = String(decoding: try await fleet.call("GET", "/metrics").body, as: UTF8.self)
                return metrics.contains(#/http_request_duration_seconds_count\{[^}]*status="400"[^}]*\} [5-9]/#)
            }
            let metrics = String(decoding: try await fleet.call("GET", "/metrics").body, as: UTF8.self)
            #expect(!metrics.contains(#/http_request_duration_seconds_count\{[^}]*status="5/#))
        }
    }

    @Test func `who guesses operator keys is soon not listened to, and the operator elsewhere is`() async throws {
        try await withFleet { fleet in
            let raw = RawConnection(port: fleet.port, source: "127.0.0.2")
            func ask(_ key: String) async throws -> String {
                let head = "GET /ops/actions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\n\r\n"
                return try await raw.say([head], within: .seconds(20)).answer
            }
            for _ in 1...10 { #expect(try await ask("wrong").hasPrefix("HTTP/1.1 401")) }
            let limited = try await ask("wrong")
            #expect(limited.hasPrefix("HTTP/1.1 429") && limited.lowercased().contains("retry-after: "), "\(limited)")
            #expect(try await ask(TestFleet.operatorKey).hasPrefix("HTTP/1.1 200"))
            #expect(try await fleet.operate("GET", "/actions").status == 200)
            #expect(try await fleet.call("GET", "/ops/actions").status == 401)
        }
    }

    @Test func `who opens more connections than one address may have is refused, and nobody else`() async throws {
        try await withFleet(["HTTP_CONNECTIONS": "40", "HTTP_CONNECTIONS_PER_ADDRESS": "10"]) { fleet in
            let crowd = RawConnection(port: fleet.port, source: "127.0.0.3")
            let answers = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 1...60 {
                    group.addTask { try await crowd.say([], within: .seconds(5), untilClosed: true).answer }
                }
                for _ in 1...20 { #expect(try await fleet.call("GET", "/health/live").status == 200) }
                return try await group.reduce(into: [String]()) { $0.append($1) }
            }
            #expect(answers.count { $0 == "still open" } == 10)
            #expect(answers.count { $0.hasPrefix("HTTP/1.1 503") } == 50)
            #expect(try await fleet.buy(try await fleet.publish()).outcome == "completed")
        }
    }
}

/// What is shown of events and purchases, however many look and however large they are.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `What is shown` {
    @Test func `of an event in a list has no seats, of the event itself it has`() async throws {
        try await withFleet { fleet in
            let seats = (1...2_000).map { "\"S-\($0)\"" }.joined(separator: ",")
            let event = try await fleet.publish(
                #"{"name":"Hall","price":{"currency":"EUR","minor":1},"capacity":2000,"seats":[\#(seats)]}"#)
            let list = try await fleet.call("GET", "/events")
            let items = try #require(try list.json["items"] as? [[String: Any]])
            let tiers = try #require(items.first?["tiers"] as? [[String: Any]])
            #expect(tiers.first?["seats"] == nil && tiers.first?["isSeated"] as? Bool == true)
            #expect(list.body.count < 1_000)
            let shown = try await fleet.call("GET", "/events/\(event)")
            #expect(try shown.decode(EventReading.self).eventId == event)
            #expect(try shown.decode(PublishEvent.self).tiers[0].seats?.count == 2_000)
            #expect(try await fleet.buy(event, #""seats":["S-2000","S-1"]"#).outcome == "completed")
        }
    }

    @Test func `of a stream goes on after the last event seen, and ends for good`() async throws {
        try await withFleet { fleet in
            let saga = try await fleet.buy(try await fleet.publish()).sagaId
            try await until("nothing more follows") {
                try await fleet.count("orchestrator.saga WHERE wake_at IS NOT NULL") == 0
            }
            func stream(after id: String?) async throws -> Answer {
                try await fleet.call("GET", "/sagas/\(saga)/stream", headers: id.map { ["Last-Event-ID": $0] } ?? [:])
            }
            func ids(_ answer: Answer) -> [Int] {
                String(decoding: answer.body, as: UTF8.self).matches(of: #/(?m)^id: (\d+)$/#).compactMap { Int($0.1) }
            }
            let all = try await stream(after: nil)
            #expect(all.status == 200 && String(decoding: all.body, as: UTF8.self).hasPrefix("retry: "))
            #expect(ids(all) == Array(1...ids(all).count) && ids(all).count >= 3)
            #expect(ids(try await stream(after: "1")) == Array(ids(all).dropFirst()))
            let steps = try await fleet.saga(saga).timeline?.count ?? 0
            #expect(try await stream(after: "\(steps)").status == 204)
            #expect(try await stream(after: "9999").status == 204)
            #expect(try await stream(after: "last").status == 422)
        }
    }

    @Test func `of streams is bounded, read once for all who follow, and ends with its client`() async throws {
        try await withFleet(["HTTP_STREAMS": "20"]) { fleet in
            let event = try await fleet.publish()
            let answer = try await fleet.start(event, #""quantity":1,"paymentMethod":"sim_never""#)
            let saga = try answer.decode(SagaReading.self).sagaId
            let raw = RawConnection(port: fleet.port)
            let head = "GET /sagas/\(saga)/stream HTTP/1.1\r\nHost: x\r\n\r\n"
            func following() async throws -> Int {
                let metrics = String(decoding: try await fleet.call("GET", "/metrics").body, as: UTF8.self)
                let match = metrics.firstMatch(of: #/(?m)^turnstile_http_streams (\d+)/#)
                return match.flatMap { Int($0.1) } ?? -1
            }
            try await withThrowingTaskGroup(of: String.self) { group in
                // Every client hangs up after five seconds.
                for _ in 1...20 {
                    group.addTask { try await raw.say([head], within: .seconds(5), untilClosed: true).answer }
                }
                try await until("twenty follow") { try await following() == 20 }
                #expect(try await fleet.call("GET", "/sagas/\(saga)/stream").status == 503)
                for try await answer in group { #expect(answer == "still open") }
            }
            try await until("nobody follows any more", within: .seconds(5)) { try await following() == 0 }
        }
    }

    @Test func `of the tickets of a purchase that was given back is void`() async throws {
        try await withFleet { fleet in
            let bought = try await fleet.buy(try await fleet.publish())
            func statuses() async throws -> [String] {
                let tickets = try await fleet.call("GET", "/sagas/\(bought.sagaId)").json["tickets"] as? [[String: Any]]
                return tickets?.compactMap { $0["status"] as? String } ?? []
            }
            #expect(try await statuses() == ["valid"])
            #expect(try await fleet.call("POST", "/sagas/\(bought.sagaId)/refund").status == 202)
            #expect(try await statuses() == ["void"])
            _ = try await fleet.saga(bought.sagaId) { $0.state == "refunded" }
            #expect(try await statuses() == ["void"])
        }
    }

    @Test func `when a wait ran out is where the purchase stands by then`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let answer = try await fleet.start(
                event, #""quantity":1,"paymentMethod":"sim_never""#, headers: ["Prefer": "wait=2"])
            #expect(answer.status == 202)
            #expect(try answer.json["state"] as? String == "charging")
        }
    }

    @Test func `of a problem is a page at its type`() async throws {
        try await withFleet { fleet in
            let problem = try await fleet.call("GET", "/sagas?user=bob").decode(Problem.self)
            #expect(problem.errors?.map(\.pointer) == ["?user"])
            let page = try await fleet.call("GET", problem.type)
            #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
            #expect(String(decoding: page.body, as: UTF8.self).contains("<code>invalid</code>"))
            #expect(try await fleet.call("GET", "/problems").status == 200)
            #expect(try await fleet.call("GET", "/problems/none").status == 404)
        }
    }

    @Test func `while an operator ends the statement is 503 and how long to wait`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let saga = try await fleet.buy(event).sagaId
            let (owner, operation) = (fleet.database.owner(), fleet.database.owner())
            try await owner.transaction { lock in
                _ = try await lock.execute("LOCK TABLE orchestrator.saga IN ACCESS EXCLUSIVE MODE")
                async let waiting = fleet.call("GET", "/sagas/\(saga)")
                try await until("the request waits for the lock") {
                    let ended = try await operation.query(
                        """
                        SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
                        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FROM saga WHERE kind%'
                        """, as: Int.self)
                    return ended.first ?? 0 > 0
                }
                let answer = try await waiting
                #expect(answer.status == 503 && answer.headers["retry-after"] != nil)
            }
            await owner.close()
            await operation.close()
        }
    }
}
