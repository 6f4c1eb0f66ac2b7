import Contracts
import Foundation
import Reservation
import Testing
import WireJSON

/// An answer over HTTP.
struct Answer: Sendable {
    let status: Int
    let headers: [String: String]
    let body: Data

    var json: [String: Any] {
        get throws { try JSONSerialization.jsonObject(with: body) as? [String: Any] ?? [:] }
    }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try WireFormat.decode(type, from: body)
    }
}

/// What the tests read of a saga.
struct SagaReading: Decodable, Sendable {
    struct Step: Decodable, Sendable {
        let input: String
        let from: String?
        let to: String
        let effects: [String]
    }

    let sagaId: SagaID
    let state: String
    let outcome: String?
    let reason: String?
    let tickets: [IssuedTicket]?
    let timeline: [Step]?
    let amount: Money?

    /// The states it came through; that the buyer was told may be among the steps already, and leads nowhere.
    var path: [String] { (timeline ?? []).filter { $0.input != "notified" }.map(\.to) }
}

struct EventReading: Decodable, Sendable {
    let eventId: EventID
}

struct AvailabilityReading: Decodable, Sendable {
    struct Tier: Decodable, Sendable {
        let name: String
        let capacity: Int
        let available: Int
    }

    let tiers: [Tier]
}

extension TestFleet {
    func call(
        _ method: String, _ path: String, body: String? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        try await call(method, path, bytes: body.map { Data($0.utf8) }, headers: headers)
    }

    func call(
        _ method: String, _ path: String, bytes: Data?, headers: [String: String] = [:]
    ) async throws -> Answer {
        try await send(method, url + path, body: bytes, headers: headers)
    }

    /// Calls a route of the operators, with their key.
    func operate(_ method: String, _ path: String, body: String? = nil) async throws -> Answer {
        try await call(
            method, "/ops\(path)", body: body, headers: ["Authorization": "Bearer \(Self.operatorKey)"])
    }

    /// Puts an event on sale and returns its id.
    func publish(_ tiers: String = #"{"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":100}"#)
        async throws -> EventID
    {
        let answer = try await call("POST", "/events", body: Self.event(tiers))
        #expect(answer.status == 201, "\(String(decoding: answer.body, as: UTF8.self))")
        return try answer.decode(EventReading.self).eventId
    }

    static func event(_ tiers: String) -> String {
        """
        {"name":"Concert","startsAt":"2031-05-01T19:30:00Z","venue":{"name":"Hall","city":"Graz","latitude":47.07,
        "longitude":15.44},"tiers":[\(tiers)]}
        """
    }

    /// Starts a purchase; `wish` is the rest of the body's fields.
    func start(
        _ event: EventID, user: String = uniqueUser(), _ wish: String = #""quantity":1"#,
        headers: [String: String] = [:]
    ) async throws -> Answer {
        try await call(
            "POST", "/saga/start", body: #"{"userId":"\#(user)","eventId":"\#(event)",\#(wish)}"#, headers: headers)
    }

    /// Starts a purchase and waits for its outcome.
    func buy(_ event: EventID, user: String = uniqueUser(), _ wish: String = #""quantity":1"#) async throws
        -> SagaReading
    {
        let answer = try await start(event, user: user, wish, headers: ["Prefer": "wait=20"])
        #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        return try answer.decode(SagaReading.self)
    }

    func saga(_ id: SagaID) async throws -> SagaReading {
        try await call("GET", "/sagas/\(id)").decode(SagaReading.self)
    }

    /// Follows the saga's own event stream until it satisfies the condition.
    func saga(_ id: SagaID, until condition: (SagaReading) -> Bool) async throws -> SagaReading {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            let saga = try await saga(id)
            if condition(saga) { return saga }
            try await Task.sleep(for: .milliseconds(20))
        }
        let saga = try await saga(id)
        Issue.record("the saga stands in \(saga.state) after \(saga.path)")
        return saga
    }

    func available(_ event: EventID, tier: String = "Floor") async throws -> Int {
        let rows = try await ask(
            "SELECT available FROM reservation.availability WHERE event_id = '\(event)' AND tier = '\(tier)'",
            as: Int32.self)
        return Int(try #require(rows.first))
    }
}

func uniqueUser() -> String { "user-\(UInt32.random(in: 0...UInt32.max))" }
