import Contracts
import Foundation
import Postgres
import RabbitMQ
import TestKit
import Testing
import WireJSON

/// Until when an event is sold, and what a repeat hears afterwards.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `An event that is over` {
    @Test func `is not sold any more, and what was begun in time keeps its answer`() async throws {
        try await withFleetServers { database, broker in
            let old = try await Self.saleBefore(database, broker)
            try await database.owner().script(
                """
                UPDATE orchestrator.event SET body = jsonb_set(body, '{startsAt}', '"2020-05-01T19:30:00.000Z"')
                WHERE id = '\(old.event)'
                """)
            try await runFleet(database, broker, [:]) { fleet in
                let late = try await fleet.start(old.event, headers: ["Idempotency-Key": "late"])
                #expect(late.status == 409)
                #expect(try late.decode(Problem.self).code == .salesEnded)
                let again = try await fleet.start(old.event, user: "ada", headers: ["Idempotency-Key": "ada-1"])
                #expect(again.status == 202)
                #expect(try again.decode(SagaReading.self).sagaId == old.saga)
                try await fleet.withUpstream { upstream in
                    try await upstream.start(old.event, messageID: "late")
                    let answer = try #require(try await upstream.answers(1).first)
                    #expect(answer.properties.type == "purchase.rejected.v1")
                    let problem = try WireFormat.decode(PurchaseRejected.self, from: answer.body).problem
                    #expect(problem.code == .salesEnded)
                }
                #expect(try await fleet.count("orchestrator.saga") == 1)
                try await fleet.expectInvariants()
            }
        }
    }

    /// What ada bought before the event was over.
    private static func saleBefore(
        _ database: TestDatabase, _ broker: String
    ) async throws -> (event: EventID, saga: SagaID) {
        var sold: (EventID, SagaID)?
        try await runFleet(database, broker, [:]) { fleet in
            let event = try await fleet.publish()
            let headers = ["Idempotency-Key": "ada-1", "Prefer": "wait=20"]
            let saga = try await fleet.start(event, user: "ada", headers: headers).decode(SagaReading.self)
            sold = (event, saga.sagaId)
        }
        return try #require(sold)
    }

    @Test func `sells until it ends, where it says when`() async throws {
        try await withFleet { fleet in
            let body = TestFleet.event(#"{"name":"Floor","price":{"currency":"EUR","minor":1},"capacity":5}"#)
            let early = body.replacing(#""venue""#, with: #""endsAt":"2031-05-01T19:30:00Z","venue""#)
            let refused = try await fleet.call("POST", "/events", body: early)
            #expect(try refused.decode(Problem.self).errors?.map(\.pointer) == ["/endsAt"])
            let late = body.replacing(#""venue""#, with: #""endsAt":"2031-05-02T01:00:00+02:00","venue""#)
            let answer = try await fleet.call("POST", "/events", body: late)
            #expect(try answer.json["endsAt"] as? String == "2031-05-01T23:00:00.000Z")
            // It has begun, and is not over.
            let event = try answer.decode(EventReading.self).eventId
            try await fleet.database.owner().script(
                "UPDATE orchestrator.event SET body = jsonb_set(body, '{startsAt}', '\"2020-05-01T19:30:00.000Z\"')")
            #expect(try await fleet.buy(event).outcome == "completed")
        }
    }

    @Test func `is published again under its key with the first answer, over HTTP and AMQP`() async throws {
        let tier = #"{"name":"Floor","price":{"currency":"EUR","minor":1},"capacity":5}"#
        let (future, past) = (TestFleet.event(tier), TestFleet.event(tier).replacing("2031-05", with: "2021-05"))
        let canonical = try WireFormat.canonicalText(try WireFormat.decode(PublishEvent.self, fromText: past))
        try await withFleet { fleet in
            let key = ["Idempotency-Key": "event-1"]
            let first = try await fleet.call("POST", "/events", body: future, headers: key)
            try await fleet.withUpstream { upstream in
                try await upstream.publish(
                    Data(future.utf8), kind: "event.publish.v1", messageID: "event-2", replyTo: upstream.queue)
                let published = try #require(try await upstream.answers(1).first)
                // As if all this had been asked ten years before.
                try await fleet.database.owner().script(
                    """
                    UPDATE orchestrator.event SET body = '\(canonical)';
                    UPDATE orchestrator.request SET fingerprint = sha256('\(canonical)'::bytea)
                    WHERE kind = 'event.publish.v1';
                    """)
                let again = try await fleet.call("POST", "/events", body: past, headers: key)
                #expect(again.status == 201)
                let ids = try (first.decode(EventReading.self), again.decode(EventReading.self))
                #expect(ids.0.eventId == ids.1.eventId)
                let other = past.replacing("Concert", with: "Opera")
                let reused = try await fleet.call("POST", "/events", body: other, headers: key)
                #expect(try reused.decode(Problem.self).code == .keyReused)
                let new = try await fleet.call("POST", "/events", body: past, headers: ["Idempotency-Key": "event-3"])
                #expect(try new.decode(Problem.self).errors?.map(\.pointer) == ["/startsAt"])
                try await upstream.publish(
                    Data(past.utf8), kind: "event.publish.v1", messageID: "event-2", replyTo: upstream.queue)
                let repeated = try #require(try await upstream.answers(1).first)
                #expect(repeated.properties.type == "event.published.v1")
                let events = try [published, repeated].map { try WireFormat.decode(EventPublished.self, from: $0.body) }
                #expect(events[0].eventId == events[1].eventId)
            }
            #expect(try await fleet.count("orchestrator.event") == 2)
        }
    }
}
