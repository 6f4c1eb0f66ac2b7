import Catalogue
import Contracts
import FoundationEssentials
import OrchestratorService
import SagaCore

/// What the recommendation worker knows of the events on sale, in memory.
package struct MemoryEventPlaceStore<Definition: PurchaseDefinition>: EventPlaceStore {
    private let session: MemorySession<OrchestratorTables<Definition>>
    /// Another schema, as its views show it.
    private let places: MemoryDatabase<RecommendationTables>

    package init(
        _ session: MemorySession<OrchestratorTables<Definition>>, places: MemoryDatabase<RecommendationTables>
    ) {
        self.session = session
        self.places = places
    }

    package func retell(
        _ limit: Int, with news: @Sendable (CatalogueEvent) throws -> OutgoingMessage
    ) async throws -> (looked: Int, told: Int) {
        try await session.transact { transaction in
            let now = transaction.now
            let rows = try await transaction.claim(
                { tables in
                    tables.events.filter { $0.value.placesDueAt.map { $0 <= now } ?? false }
                        .sorted { $0.key < $1.key }.map { CatalogueEvent(id: $0.key, event: $0.value.event) }
                }, key: { .id(.event, $0.id.uuid) }, limit: limit)
            guard !rows.isEmpty else { return (0, 0) }
            let known = places.tables.places
            let missing = rows.filter { known[$0.id] == nil }
            let messages = try missing.map(news)
            try await transaction.write(locking: rows.map { .id(.event, $0.id.uuid) }) { tables in
                for row in rows { tables.events[row.id]?.placesDueAt = nil }
                for row in missing { tables.events[row.id]?.placesDueAt = now.addingTimeInterval(10) }
                tables.enclose(messages)
            }
            return (rows.count, missing.count)
        }
    }
}
