import Contracts
import Foundation
import TestKit
import Testing

/// What a stop in the middle of a sale leaves behind.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `A fleet` {
    private static let floor = #"{"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":1000}"#

    private func order(_ count: Int, of event: EventID, by crowd: String, from fleet: TestFleet) async throws {
        try await fleet.withUpstream { upstream in
            for number in 0..<count {
                let wish = #"{"userId":"\#(crowd)-\#(number)","eventId":"\#(event)","quantity":1}"#
                try await upstream.publish(
                    Data(wish.utf8), kind: "purchase.start.v1", messageID: "order-\(crowd)-\(number)")
            }
        }
    }

    private func expectAllSold(_ count: Int, by fleet: TestFleet) async throws {
        try await until("everything is sold") {
            try await fleet.count("orchestrator.saga WHERE outcome = 'completed'") >= count
        }
        #expect(try await fleet.count("orchestrator.saga") == count)
        #expect(try await fleet.count("payment.simulated_charge") == count)
        #expect(try await fleet.count("reservation.ticket WHERE status = 'valid'") == count)
        try await fleet.expectInvariants()
    }

    @Test func `that is stopped in the middle of a sale goes on where it was`() async throws {
        let purchases = 300
        try await withFleetServers { database, broker in
            try await runFleet(database, broker, [:]) { fleet in
                try await order(purchases, of: try await fleet.publish(Self.floor), by: "user", from: fleet)
            }
            try await runFleet(database, broker, [:]) { try await expectAllSold(purchases, by: $0) }
        }
    }

    @Test(.timeLimit(.minutes(3))) func `that is stopped at any moment of a sale always stops, and loses nothing`()
        async throws
    {
        let (rounds, purchases) = (12, 20)
        try await withFleetServers { database, broker in
            var event: EventID?
            for round in 0..<rounds {
                try await runFleet(database, broker, [:]) { fleet in
                    let floor = if let event { event } else { try await fleet.publish(Self.floor) }
                    event = floor
                    let steps = try await fleet.count("orchestrator.saga_step")
                    try await order(purchases, of: floor, by: "crowd-\(round)", from: fleet)
                    // The later the round, the further its purchases come.
                    try await until("some steps are done") {
                        try await fleet.count("orchestrator.saga_step") >= steps + round * 4
                    }
                }
            }
            try await runFleet(database, broker, [:]) { try await expectAllSold(rounds * purchases, by: $0) }
        }
    }
}
