import Contracts
import FleetRuntime
import Foundation
import TestKit
import Testing

@testable import Reservation

private let isWanted = TestServers.haveDatabase && ProcessInfo.processInfo.environment["TURNSTILE_MEASURE"] != nil

/// How long a batch takes, printed and not judged; set `TURNSTILE_MEASURE` to have it.
@Suite(.enabled(if: isWanted), .serialized)
struct Measurements {
    private static let batch = 500

    @Test(arguments: [1, 64])
    func `batches of reserves, confirms and releases`(events: Int) async throws {
        try await withDesk { desk in
            var tiers: [TierID] = []
            for _ in 0..<events { tiers.append(try await desk.stock(1_000_000)) }
            try await measure("\(events) events by count", desk) { tiers[$0 % events] }
        }
    }

    @Test func `batches in a hall of 50,000 seats`() async throws {
        try await withDesk { desk in
            let tier = TierID(event: .make(), name: "stalls")
            for row in 0..<500 {
                let seats = (1...100).map { "\(row)-\($0)" }
                let part = StockEvent.Tier(name: tier.name, capacity: 50_000, seats: seats, firstRank: row * 100)
                _ = try await desk.send(StockEvent(eventId: tier.event, tiers: [part]), of: nil)
            }
            try await measure("best of 50,000 seats", desk) { _ in tier }
        }
    }

    private func measure(_ title: String, _ desk: Desk, tier: (Int) -> TierID) async throws {
        var (reserving, confirming, releasing): ([Duration], [Duration], [Duration]) = ([], [], [])
        for _ in 0..<20 {
            let sagas = (0..<Self.batch).map { _ in SagaID.make() }
            let reserves = try sagas.enumerated().map { try envelope(reserve(2, of: tier($0)), of: $1) }
            let confirms = try sagas.map { try envelope(ConfirmSeats(userId: "ada"), of: $0) }
            let releases = try sagas.prefix(100).map { try envelope(ReleaseSeats(reason: "refund"), of: $0) }
            let clock = ContinuousClock()
            var outcomes: [Outcome] = []
            reserving.append(try await clock.measure { outcomes = try await desk.send(reserves) })
            for outcome in outcomes { _ = try #require(try outcome.seats()) }
            confirming.append(try await clock.measure { outcomes = try await desk.send(confirms) })
            for outcome in outcomes { _ = try #require(try outcome.reply(SeatsConfirmed.self)) }
            releasing.append(try await clock.measure { _ = try await desk.send(releases) })
        }
        for (kind, times) in [("500 reserves", reserving), ("500 confirms", confirming), ("100 releases", releasing)] {
            let sorted = times.sorted()
            print("MEASURED \(title), \(kind): median \(sorted[sorted.count / 2]), worst \(sorted[sorted.count - 1])")
        }
    }
}
