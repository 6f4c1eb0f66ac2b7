import Contracts
import Foundation
import TestKit
import Testing

/// A cancel in each state a purchase can stand in.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `A cancel` {
    @Test func `while the seats are being reserved releases whatever was held`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let id = try (try await fleet.start(event)).decode(SagaReading.self).sagaId
            let answer = try await fleet.call("POST", "/sagas/\(id)/cancel")
            let saga = try await fleet.saga(id) { $0.outcome != nil }
            switch answer.status {
            case 202: #expect(saga.reason == "cancelled")
            default:
                #expect(try answer.json["code"] as? String == "already-paid")
                #expect(saga.outcome == "completed")
            }
            try await fleet.expectInvariants()
        }
    }

    @Test func `while the card is being charged closes the payment and releases`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let started = try await fleet.start(event, #""quantity":2,"paymentMethod":"sim_never""#)
            let id = try started.decode(SagaReading.self).sagaId
            _ = try await fleet.saga(id) { $0.state == "charging" }
            #expect(try await fleet.call("POST", "/sagas/\(id)/cancel").status == 202)
            #expect(try await fleet.call("POST", "/sagas/\(id)/cancel").status < 500)
            let saga = try await fleet.saga(id) { $0.outcome != nil }
            #expect(saga.reason == "cancelled")
            #expect(saga.path == ["reserving", "charging", "closing", "unwinding", "refused"])
            #expect(try await fleet.available(event) == 100)
            try await fleet.expectInvariants()
        }
    }

    @Test func `after the purchase completed is refused with the way to a refund`() async throws {
        try await withFleet { fleet in
            let saga = try await fleet.buy(try await fleet.publish())
            let answer = try await fleet.call("POST", "/sagas/\(saga.sagaId)/cancel")
            #expect(answer.status == 409)
            #expect(try answer.json["code"] as? String == "already-paid")
        }
    }

    @Test func `after the purchase ended is refused`() async throws {
        try await withFleet { fleet in
            let saga = try await fleet.buy(try await fleet.publish(), #""quantity":1,"paymentMethod":"sim_declined""#)
            let answer = try await fleet.call("POST", "/sagas/\(saga.sagaId)/cancel")
            #expect(answer.status == 409)
            #expect(try answer.json["code"] as? String == "already-ended")
        }
    }

    @Test func `of nothing is not found`() async throws {
        try await withFleet { fleet in
            let unknown = try await fleet.call("POST", "/sagas/\(SagaID.make())/cancel")
            #expect(unknown.status == 404)
            let nonsense = try await fleet.call("POST", "/sagas/nonsense/cancel")
            #expect(nonsense.status == 404)
        }
    }

    @Test func `and a refund before the purchase completed is refused`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            let started = try await fleet.start(event, #""quantity":1,"paymentMethod":"sim_never""#)
            let id = try started.decode(SagaReading.self).sagaId
            let answer = try await fleet.call("POST", "/sagas/\(id)/refund")
            #expect(answer.status == 409)
            #expect(try answer.json["code"] as? String == "not-completed")
            #expect(try await fleet.call("POST", "/sagas/\(id)/cancel").status == 202)
            _ = try await fleet.saga(id) { $0.outcome != nil }
        }
    }
}
