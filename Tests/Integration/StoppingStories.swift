import Contracts
import Foundation
import TestKit
import Testing

/// What a stop in the middle of a sale leaves behind.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `A fleet` {
    private static let purchases = 300

    @Test func `that is stopped in the middle of a sale goes on where it was`() async throws {
        try await withFleetServers { database, broker in
            try await runFleet(database, broker, [:]) { fleet in
                let event = try await fleet.publish(
                    #"{"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":1000}"#)
                try await fleet.withUpstream { upstream in
                    for number in 0..<Self.purchases {
                        let wish = #"{"userId":"user-\#(number)","eventId":"\#(event)","quantity":1}"#
                        try await upstream.publish(
                            Data(wish.utf8), kind: "purchase.start.v1", messageID: "order-\(number)")
                    }
                }
            }
            try await runFleet(database, broker, [:]) { fleet in
                var completed = 0
                while completed < Self.purchases {
                    completed = try await fleet.count("orchestrator.saga WHERE outcome = 'completed'")
                    try await Task.sleep(for: .milliseconds(20))
                }
                #expect(try await fleet.count("orchestrator.saga") == Self.purchases)
                #expect(try await fleet.count("payment.simulated_charge") == Self.purchases)
                #expect(try await fleet.count("reservation.ticket WHERE status = 'valid'") == Self.purchases)
                try await fleet.expectInvariants()
            }
        }
    }
}
