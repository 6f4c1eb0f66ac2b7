import Contracts
import Foundation
import TestKit
import Testing

/// Many buyers at once, and the same buyer twice.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `A crowd` {
    private static func hall(_ seats: ClosedRange<Int>) -> String {
        let names = seats.map { "\"A-\($0)\"" }.joined(separator: ",")
        return """
            {"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":\(seats.count),"seats":[\(names)]}
            """
    }

    @Test func `of 200 buyers for the last 10 seats buys exactly 10`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish(
                #"{"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":10}"#)
            let outcomes = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<200 {
                    group.addTask {
                        let answer = try await fleet.start(event, headers: ["Prefer": "wait=30"])
                        if answer.status == 409 { return "refused" }
                        return try answer.decode(SagaReading.self).outcome
                    }
                }
                return try await group.reduce(into: [String?]()) { $0.append($1) }
            }
            #expect(outcomes.count { $0 == "completed" } == 10)
            #expect(outcomes.count { $0 == "refused" } == 190)
            #expect(try await fleet.count("reservation.ticket WHERE status = 'valid'") == 10)
            #expect(try await fleet.available(event) == 0)
            try await fleet.expectInvariants()
        }
    }

    @Test func `asking for the same named seats leaves them to one, all or nothing`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish(Self.hall(1...6))
            let outcomes = try await withThrowingTaskGroup(of: SagaReading.self) { group in
                for seats in [#"["A-1","A-2"]"#, #"["A-2","A-3"]"#, #"["A-3","A-1"]"#] {
                    group.addTask { try await fleet.buy(event, #""seats":\#(seats)"#) }
                }
                return try await group.reduce(into: [SagaReading]()) { $0.append($1) }
            }
            #expect(outcomes.count { $0.outcome == "completed" } == 1)
            #expect(outcomes.filter { $0.outcome == "refused" }.allSatisfy { $0.reason == "seats-taken" })
            #expect(try await fleet.count("reservation.ticket WHERE status = 'valid'") == 2)
            #expect(try await fleet.available(event) == 4)
            try await fleet.expectInvariants()
        }
    }

    @Test func `without a wish for seats is seated side by side`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish(Self.hall(1...8))
            let saga = try await fleet.buy(event, #""quantity":3"#)
            #expect(saga.tickets?.compactMap(\.seat).sorted() == ["A-1", "A-2", "A-3"])
            try await fleet.expectInvariants()
        }
    }

    @Test func `of repeats under one key is one purchase`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let user = uniqueUser()
            let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        try await fleet.start(event, user: user, headers: ["Idempotency-Key": "\"order-7\""])
                    }
                }
                return try await group.reduce(into: [Answer]()) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.status == 202 })
            #expect(Set(try answers.map { try $0.decode(SagaReading.self).sagaId }).count == 1)
            let other = try await fleet.start(
                event, user: user, #""quantity":2"#, headers: ["Idempotency-Key": "order-7"])
            #expect(other.status == 422)
            #expect(try other.json["code"] as? String == "idempotency-key-reused")
            #expect(try await fleet.count("orchestrator.saga") == 1)
            let id = try answers[0].decode(SagaReading.self).sagaId
            _ = try await fleet.saga(id) { $0.outcome != nil }
            #expect(try await fleet.count("payment.simulated_charge") == 1)
            let late = try await fleet.start(event, user: user, headers: ["Idempotency-Key": "order-7"])
            #expect(late.status == 202)
            #expect(try late.json["state"] as? String == "completed")
        }
    }

    @Test func `of one user's wishes for one event waits for the first to end`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let first = try await fleet.start(event, user: "ada", #""quantity":1,"paymentMethod":"sim_never""#)
            let id = try first.decode(SagaReading.self).sagaId
            let second = try await fleet.start(event, user: "ada")
            #expect(second.status == 409)
            #expect(try second.json["code"] as? String == "purchase-in-progress")
            #expect(try second.json["sagaId"] as? String == id.description)
            #expect(try await fleet.call("POST", "/sagas/\(id)/cancel").status == 202)
            _ = try await fleet.saga(id) { $0.outcome != nil }
            #expect(try await fleet.buy(event, user: "ada").outcome == "completed")
            try await fleet.expectInvariants()
        }
    }

    @Test func `goes on buying while Redis is gone`() async throws {
        try await withFleet(["REDIS_URL": "redis://127.0.0.1:1/0"]) { fleet in
            let event = try await fleet.publish(
                #"{"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":3}"#)
            for _ in 0..<3 { #expect(try await fleet.buy(event).outcome == "completed") }
            #expect(try await fleet.buy(event).outcome == "refused")
            let availability = try await fleet.call("GET", "/events/\(event)/availability")
            #expect(try availability.decode(AvailabilityReading.self).tiers.map(\.available) == [0])
            let health = try await fleet.call("GET", "/health/ready")
            #expect(health.status == 200)
            #expect(try health.json["status"] as? String == "degraded")
            try await fleet.expectInvariants()
        }
    }
}
