import Contracts
import FoundationEssentials
import Postgres

/// News of an event's place, and when it was published.
package struct PlaceNews: Sendable, Equatable {
    package let event: EventPublished
    package let publishedAt: Date

    package init(event: EventPublished, publishedAt: Date) {
        self.event = event
        self.publishedAt = publishedAt
    }
}

/// What is known of events' places and users' interests.
package protocol PlaceStore<Transaction>: Sendable {
    associatedtype Transaction: Sendable
    /// Keeps the newest news of each event, and adds up each user's interest in each event.
    func learn(_ places: [PlaceNews], _ interests: [ObserveInterest], in transaction: Transaction) async throws
}
