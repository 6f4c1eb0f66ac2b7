import Contracts
import FoundationEssentials
import Postgres
import Recommendation

/// The schema `recommendation` in memory.
package struct RecommendationTables: HasInbox {
    package var places: [EventID: PlaceNews] = [:]
    package var interests: [String: Int] = [:]
    package var inbox: [MessageID: [OutgoingMessage]] = [:]

    package init() {}
}

/// Places and interests in memory.
package struct MemoryPlaces: PlaceStore {
    package typealias Transaction = MemoryTransaction<RecommendationTables>

    package init() {}

    package func learn(
        _ places: [PlaceNews], _ interests: [ObserveInterest], in transaction: Transaction
    ) async throws {
        let rows =
            Set(places.map(\.event.eventId)).sorted().map { RowKey.id(.place, $0.uuid) }
            + Set(interests.map(\.name)).sorted().map { RowKey.text(.interest, $0) }
        try await transaction.write(locking: rows) { tables in
            for news in places {
                let id = news.event.eventId
                if let old = tables.places[id], old.publishedAt > news.publishedAt { continue }
                tables.places[id] = news
            }
            for interest in interests {
                tables.interests[interest.name] = min(
                    1_000_000, tables.interests[interest.name, default: 0] + interest.weight)
            }
        }
    }
}

extension ObserveInterest {
    /// Names the row of a user's interest in an event.
    package var name: String { "\(userId) \(eventId)" }
}
