import Contracts
import FleetRuntime
import FleetStorage
import Foundation
import Postgres
import Recommendation
import Simulation
import TestKit
import Testing

@Suite struct `A place store` {
    @Test func `in memory keeps its promises`() throws {
        try inMemory { process in
            let database = MemoryDatabase("recommendation", RecommendationTables())
            try await keepPromises(MemoryPlaces(), MemoryInboxStore(MemorySession(database, process))) { event in
                let tables = database.tables
                return (
                    tables.places[event]?.event.name,
                    tables.interests.filter { $0.key.hasSuffix("\(event)") }.map(\.value).reduce(0, +)
                )
            }
        }
    }

    @Test(.enabled(if: TestServers.haveDatabase)) func `in PostgreSQL keeps its promises`() async throws {
        try await withTestDatabase([(.recommendation, RecommendationService.migrations)]) { database in
            let owner = database.owner()
            try await keepPromises(
                PostgresPlaces(), PostgresInboxStore(database.connection(as: .recommendation))
            ) { event in
                let names = try await owner.query(
                    "SELECT name FROM recommendation.place WHERE event_id = $1", [event.uuid], as: (String).self)
                let weights = try await owner.query(
                    "SELECT coalesce(sum(weight), 0)::bigint FROM recommendation.interest WHERE event_id = $1",
                    [event.uuid], as: (Int).self)
                return (names.first, weights[0])
            }
            await owner.close()
        }
    }
}

/// What every store of places promises; `look` tells an event's name and the interest in it.
private func keepPromises<Store: PlaceStore, Records: InboxStore>(
    _ store: Store, _ ledger: Records, look: (EventID) async throws -> (String?, Int)
) async throws where Store.Transaction == Records.Transaction {
    let event = fresh(EventID.self)
    let venue = Venue(name: "hall", city: "Basel", latitude: 47.5, longitude: 7.6)
    let news = { (name: String, age: TimeInterval) in
        PlaceNews(
            event: EventPublished(eventId: event, name: name, startsAt: moment, venue: venue),
            publishedAt: moment.addingTimeInterval(-age))
    }
    let interest = ObserveInterest(userId: "anna", eventId: event, weight: 3)
    try await ledger.transact {
        try await store.learn([news("second", 10), news("first", 20)], [interest, interest], in: $0)
    }
    let (name, weight) = try await look(event)
    #expect(name == "second", "the newest news of a batch stands")
    #expect(weight == 6, "interest adds up within a batch")
    try await ledger.transact { try await store.learn([news("old", 15)], [interest], in: $0) }
    let (kept, sum) = try await look(event)
    #expect(kept == "second", "older news does not overwrite newer")
    #expect(sum == 9, "interest adds up over batches")
    let enough = ObserveInterest(userId: "anna", eventId: event, weight: 999_999)
    try await ledger.transact { try await store.learn([news("third", 0)], [enough], in: $0) }
    let (newest, most) = try await look(event)
    #expect(newest == "third")
    #expect(most == 1_000_000, "interest has a limit")
}
