import Contracts
import Engine
import Foundation
import TestKit

/// A crowd that buys, cancels, asks for refunds and repeats itself, and never believes a timeout.
///
/// Whoever gets no answer asks again under the same key, until there is one.
actor Buyers {
    struct Tally: Sendable {
        var accepted = 0
        var refused = 0
        var repeats = 0
        var complaints: [String] = []
    }

    private let web: Web
    private let targets: @Sendable () async -> [String]
    private(set) var tally = Tally()
    private var sessions = 0

    init(_ web: Web, targets: @escaping @Sendable () async -> [String]) {
        self.web = web
        self.targets = targets
    }

    /// Puts a fresh set of events on sale.
    func open() async throws -> Halls {
        let seats = (1...200).map { "\"S-\($0)\"" }.joined(separator: ",")
        return Halls(
            floor: try await publish(#"{"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":1000000}"#),
            seated: try await publish(
                #"{"name":"Hall","price":{"currency":"EUR","minor":6500},"capacity":200,"seats":[\#(seats)]}"#),
            small: try await publish(#"{"name":"Box","price":{"currency":"EUR","minor":9900},"capacity":15}"#))
    }

    func publish(_ tiers: String) async throws -> EventID {
        let body = """
            {"name":"Concert","startsAt":"2035-05-01T19:30:00Z","venue":{"name":"Hall","city":"Graz","latitude":47.07,
            "longitude":15.44},"tiers":[\(tiers)]}
            """
        let key = UUID().uuidString
        for _ in 0..<40 {
            do {
                let answer = try await web.call(
                    "POST", "\(try await target(0))/events", body: Data(body.utf8), headers: ["Idempotency-Key": key])
                if answer.status == 201, let id = answer.text("eventId").flatMap({ EventID($0) }) { return id }
            } catch {
                note(repeat: 1)
            }
            try await Task.sleep(for: .milliseconds(250))
        }
        throw Trouble("no event could be published")
    }

    /// Sells at a rate until cancelled, then waits for every buyer's answer.
    func crowd(at rate: Int, in halls: Halls) async {
        sessions += 1
        let session = "s\(UInt32.random(in: 0...UInt32.max))"
        await withDiscardingTaskGroup { group in
            var number = 0
            while !Task.isCancelled {
                let wish = Wish(number: number, session: session, hall: halls)
                let first = number
                group.addTask { await Task { await self.buy(wish, first) }.value }
                number += 1
                do { try await Task.sleep(for: .milliseconds(1_000 / max(1, rate))) } catch { break }
            }
        }
    }

    /// A purchase of the simplest kind, until it is completed; for telling when the fleet works again.
    func probe(_ halls: Halls, within limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        while true {
            let body = Data(
                #"{"userId":"probe-\#(UUID())","eventId":"\#(halls.floor)","tier":"Floor","quantity":1}"#.utf8)
            do {
                let answer = try await web.call(
                    "POST", "\(try await target(0))/saga/start", body: body, headers: ["Prefer": "wait=5"])
                if answer.status == 200, answer.text("outcome") == "completed" { return }
            } catch {
                note(repeat: 1)
            }
            guard ContinuousClock.now < deadline else { throw Trouble("no purchase was completed within \(limit)") }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    func reset() -> Tally {
        defer { tally = Tally() }
        return tally
    }

    private func buy(_ wish: Wish, _ number: Int) async {
        guard let saga = await start(wish, number) else { return }
        switch wish.afterwards {
        case .nothing: break
        case .askAgain:
            let again = await start(wish, number + 1)
            if again != saga { complain("\(wish.key) got \(saga), and then \(again ?? "nothing")") }
        case .cancel: await turnBack(saga, "cancel", number)
        case .refund:
            _ = await start(wish, number, wait: true)
            await turnBack(saga, "refund", number)
        }
    }

    /// Asks until there is an answer; nil when it is a refusal.
    private func start(_ wish: Wish, _ number: Int, wait: Bool = false) async -> String? {
        var headers = ["Idempotency-Key": wish.key]
        if wait { headers["Prefer"] = "wait=5" }
        for attempt in 0..<600 {
            do {
                let answer = try await web.call(
                    "POST", "\(try await target(number + attempt))/saga/start", body: wish.body, headers: headers,
                    within: .seconds(wait ? 8 : 3))
                switch answer.status {
                case 200, 202:
                    if attempt == 0 && !wait { tally.accepted += 1 } else { tally.repeats += 1 }
                    return answer.text("sagaId")
                case 409:
                    tally.refused += 1
                    return nil
                case 503: note(repeat: 1)
                default:
                    complain("\(wish.key): status \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
                    return nil
                }
            } catch {
                note(repeat: 1)
            }
            do { try await Task.sleep(for: .milliseconds(250)) } catch { return nil }
        }
        complain("\(wish.key) got no answer")
        return nil
    }

    private func turnBack(_ saga: String, _ what: String, _ number: Int) async {
        for attempt in 0..<200 {
            do {
                let answer = try await web.call(
                    "POST", "\(try await target(number + attempt))/sagas/\(saga)/\(what)", within: .seconds(3))
                if answer.status < 500 { return }
            } catch {
                note(repeat: 1)
            }
            do { try await Task.sleep(for: .milliseconds(250)) } catch { return }
        }
        complain("saga \(saga) could not be asked to \(what)")
    }

    private func target(_ number: Int) async throws -> String {
        let urls = await targets()
        guard !urls.isEmpty else { throw Trouble("no orchestrator runs") }
        return urls[number % urls.count]
    }

    private func note(repeat count: Int) { tally.repeats += count }
    private func complain(_ text: String) { tally.complaints.append(text) }
}
