import Contracts
import FleetRuntime
import FleetStorage
import Hosting
import Postgres
import ServiceLifecycle

/// The recommendation role: lanes that learn from events and observations.
package enum RecommendationService {
    package static let migrations = [
        Migration(
            name: "0001_create_place", sql: String(decoding: PackageResources._001_create_place_sql, as: UTF8.self)),
        Migration(
            name: "0050_publish_places", sql: String(decoding: PackageResources._050_publish_places_sql, as: UTF8.self)),
    ]

    package static func services(_ fleet: Fleet) throws -> [any Service] {
        try fleet.commandLanes(of: .recommendation, urgency: .unhurried) { connection in
            IdempotentConsumer(RecommendationWorker(store: PostgresPlaces()), ledger: PostgresInboxStore(connection))
        }
    }
}
