import Contracts
import Foundation
import Testing

@testable import Catalogue
@testable import OrchestratorService

/// What is kept of an event in memory.
@Suite struct `An event in the catalogue` {
    private static func event(seats: Int) -> PublishEvent {
        let names = (0..<seats).map { "Row \($0 / 50)-\($0 % 50)" }
        return PublishEvent(
            name: "Concert", startsAt: Date(timeIntervalSince1970: 2_000_000_000),
            venue: Venue(name: "Hall", city: "Graz", latitude: 47, longitude: 15),
            tiers: [
                .init(name: "Floor", price: Money(currency: "EUR", minor: 1), capacity: 5),
                .init(name: "Hall", price: Money(currency: "EUR", minor: 2), capacity: seats, seats: names),
                .init(name: "Box", price: Money(currency: "EUR", minor: 3), capacity: 2, seats: ["\u{C9}-1", "Z"]),
            ])
    }

    @Test func `finds the tier of every seat, in any form of its name, and of no other name`() {
        let event = CatalogueEvent(id: .make(), event: Self.event(seats: 1_000))
        for seat in Self.event(seats: 1_000).tiers[1].seats ?? [] { #expect(event.tier(ofSeat: seat)?.name == "Hall") }
        #expect(event.tier(ofSeat: "\u{C9}-1")?.name == "Box" && event.tier(ofSeat: "Z")?.name == "Box")
        #expect(Array(event.published("E\u{301}-1").utf8) == Array("\u{C9}-1".utf8))
        #expect(event.tier(ofSeat: "E\u{301}-1")?.name == "Box" && event.published("ZZ") == "ZZ")
        for stranger in ["", "Row", "Row 1-50", "E-1", "ZZ"] { #expect(event.tier(ofSeat: stranger) == nil) }
    }

    @Test func `of a hundred thousand seats takes two megabytes at most`() {
        let event = CatalogueEvent(id: .make(), event: Self.event(seats: 100_000))
        #expect(event.bytes < 2_000_000)
        #expect(event.event.tiers.allSatisfy { $0.seats == nil })
    }
}
