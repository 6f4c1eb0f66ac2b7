import Contracts
import Foundation
import TestKit
import Testing

/// What buyers live through, on real servers.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `A purchase` {
    @Test func `brings a buyer tickets`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let saga = try await fleet.buy(event, #""quantity":2,"email":"ada@example.com""#)
            #expect(saga.outcome == "completed")
            #expect(saga.tickets?.count == 2)
            #expect(saga.amount == Money(currency: "EUR", minor: 9_000))
            #expect(saga.path == ["reserving", "charging", "confirming", "completed"])
            #expect(try await fleet.available(event) == 98)
            _ = try await fleet.saga(saga.sagaId) { $0.timeline?.last?.input == "notified" }
            #expect(try await fleet.count("notification.notification WHERE status = 'delivered'") == 1)
            try await fleet.expectInvariants()
        }
    }

    @Test func `of what is sold out is refused and nothing is held`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish(
                #"{"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":2}"#)
            let first = try await fleet.buy(event, #""quantity":2"#)
            #expect(first.outcome == "completed")
            let answer = try await fleet.start(event, headers: ["Prefer": "wait=20"])
            switch answer.status {
            case 409: #expect(try answer.json["code"] as? String == "sold-out")
            default:
                let saga = try answer.decode(SagaReading.self)
                #expect(saga.outcome == "refused")
                #expect(saga.reason == "sold-out")
            }
            #expect(try await fleet.count("reservation.hold WHERE status = 'held'") == 0)
            #expect(try await fleet.available(event) == 0)
            try await fleet.expectInvariants()
        }
    }

    @Test func `of more than is left says how many are left, whoever refuses it`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish(
                #"{"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":5}"#)
            #expect(try await fleet.buy(event, #""quantity":2"#).outcome == "completed")
            try await until("the start itself refuses") {
                let answer = try await fleet.start(event, #""quantity":4"#, headers: ["Prefer": "wait=20"])
                // Before the cache knows of the sale the saga is what refuses.
                #expect(try answer.json["available"] as? Int == 3)
                let word = try answer.json[answer.status == 409 ? "code" : "reason"] as? String
                #expect(word == "sold-out")
                return answer.status == 409
            }
            #expect(try await fleet.buy(event, #""quantity":3"#).outcome == "completed")
            #expect(
                try await fleet.count(
                    "orchestrator.saga WHERE outcome = 'refused' AND detail NOT LIKE '%\"available\":3%'")
                    == 0)
            try await fleet.expectInvariants()
        }
    }

    @Test func `with a declined card releases the seats`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let saga = try await fleet.buy(event, #""quantity":2,"paymentMethod":"sim_declined""#)
            #expect(saga.outcome == "refused")
            #expect(saga.reason == "declined")
            #expect(saga.path == ["reserving", "charging", "unwinding", "refused"])
            #expect(try await fleet.available(event) == 100)
            try await fleet.expectInvariants()
        }
    }

    @Test func `whose hold expires closes the payment, then releases`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let saga = try await fleet.buy(event, #""quantity":1,"paymentMethod":"sim_never","holdSeconds":1"#)
            #expect(saga.outcome == "refused")
            #expect(saga.reason == "expired")
            #expect(saga.path == ["reserving", "charging", "closing", "unwinding", "refused"])
            #expect(saga.timeline?.map(\.input) == ["start", "reserved", "hold-expired", "closed", "released"])
            #expect(try await fleet.available(event) == 100)
            try await fleet.expectInvariants()
        }
    }

    @Test func `has a timer once its payment is slow, and none when it is paid at once`() async throws {
        try await withFleet(["STEP_TIMEOUT_MS": "1000"]) { fleet in
            let event = try await fleet.publish()
            let quick = try await fleet.buy(event)
            let slow = try await fleet.buy(event, #""quantity":1,"paymentMethod":"sim_slow:2500""#)
            #expect([quick.outcome, slow.outcome] == ["completed", "completed"])
            try await until("the slow purchase's timer is cancelled") {
                try await fleet.count("expiry.timer WHERE saga_id = '\(slow.sagaId)' AND status = 'cancelled'") == 1
            }
            #expect(try await fleet.count("expiry.timer WHERE saga_id = '\(slow.sagaId)' AND due_at IS NOT NULL") == 1)
            #expect(try await fleet.count("expiry.timer WHERE saga_id = '\(quick.sagaId)'") == 0)
            try await fleet.expectInvariants()
        }
    }

    @Test func `captured while its expired payment closes keeps its seats`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let saga = try await fleet.buy(event, #""quantity":1,"paymentMethod":"sim_late","holdSeconds":1"#)
            #expect(saga.outcome == "completed")
            #expect(saga.path == ["reserving", "charging", "closing", "confirming", "completed"])
            try await fleet.expectInvariants()
        }
    }

    @Test func `captured while its cancelled payment closes is refunded`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let started = try await fleet.start(event, #""quantity":1,"paymentMethod":"sim_late""#)
            let id = try started.decode(SagaReading.self).sagaId
            _ = try await fleet.saga(id) { $0.state == "charging" }
            #expect(try await fleet.call("POST", "/sagas/\(id)/cancel").status == 202)
            let saga = try await fleet.saga(id) { $0.outcome != nil }
            #expect(saga.outcome == "refused")
            #expect(saga.reason == "cancelled")
            #expect(try await fleet.count("payment.charge WHERE status = 'refunded'") == 1)
            #expect(try await fleet.available(event) == 100)
            try await fleet.expectInvariants()
        }
    }

    @Test func `that is refunded in full voids its tickets`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let bought = try await fleet.buy(event, #""quantity":3"#)
            #expect(try await fleet.call("POST", "/sagas/\(bought.sagaId)/refund").status == 202)
            let saga = try await fleet.saga(bought.sagaId) { $0.outcome == "refunded" }
            #expect(saga.path.last == "refunded")
            #expect(try await fleet.count("reservation.ticket WHERE status = 'void'") == 3)
            #expect(try await fleet.count("payment.charge WHERE status = 'refunded'") == 1)
            #expect(try await fleet.available(event) == 100)
            try await fleet.expectInvariants()
        }
    }

    @Test(arguments: ["sim_timeout_after_charge", "sim_flaky", "sim_slow:1200"])
    func `with a troubled provider is charged once`(method: String) async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let saga = try await fleet.buy(event, #""quantity":1,"paymentMethod":"\#(method)""#)
            #expect(saga.outcome == "completed")
            #expect(try await fleet.count("payment.simulated_charge") == 1)
            try await fleet.expectInvariants()
        }
    }
}
