import Contracts
import Foundation
import Testing

@testable import Catalogue
@testable import OrchestratorService

/// How an event's stock is cut into commands.
struct `The stock of an event` {
    private static func commands(seats: [String]) throws -> [OutgoingMessage] {
        let tier = PublishEvent.Tier(
            name: "Floor", price: Money(currency: "EUR", minor: 1), capacity: seats.count, seats: seats)
        let venue = Venue(name: "Hall", city: "Graz", latitude: 47, longitude: 15)
        let event = PublishEvent(name: "Concert", startsAt: .distantFuture, venue: venue, tiers: [tier])
        return try StockParts.commands(
            for: event, id: .make(), traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    }

    @Test(arguments: ["a", "\\", "я", "龍", "🎫"], [1, 999, 1_000, 1_001, 3_000])
    func `fits messages, whatever alphabet its seats are named in`(letter: String, count: Int) throws {
        let seats = (1...count).map { number in
            let digits = String(number)
            return digits + String(repeating: letter, count: Limits.seatNameLength - digits.count)
        }
        let commands = try Self.commands(seats: seats)
        #expect(commands.allSatisfy { $0.envelope.body.count <= Limits.messageBytes })
        let tiers = try commands.flatMap { try $0.envelope.decode(StockEvent.self).tiers }
        #expect(tiers.allSatisfy { (1...Limits.seatsPerStockMessage).contains($0.seats?.count ?? 0) })
        #expect(tiers.flatMap { $0.seats ?? [] } == seats)
        #expect(tiers.map(\.firstRank) == tiers.indices.map { tiers[..<$0].reduce(0) { $0 + ($1.seats?.count ?? 0) } })
        #expect(Set(commands.map(\.envelope.id)).count == commands.count)
    }
}
