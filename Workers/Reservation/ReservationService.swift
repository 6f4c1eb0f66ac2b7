import Contracts
import FleetRuntime
import FleetStorage
import Hosting
import Postgres
import ServiceLifecycle

/// The reservation worker as services of a process.
package enum ReservationService {
    package static let migrations = [
        Migration(
            name: "0001_create_stock", sql: String(decoding: PackageResources._001_create_stock_sql, as: UTF8.self)),
        Migration(
            name: "0002_publish_stock",
            sql: String(decoding: PackageResources._002_publish_stock_sql, as: UTF8.self)),
        Migration(
            name: "0004_name_stock", sql: String(decoding: PackageResources._004_name_stock_sql, as: UTF8.self)),
    ]

    /// The lanes of the queue `reservation.commands`, and the feed that tells Redis what is left.
    package static func services(_ fleet: Fleet) throws -> [any Service] {
        let feed = AvailabilityFeed(
            from: PostgresAvailability(fleet.database(of: .reservation, for: "availability")),
            to: RedisAvailability(try fleet.redis(for: "availability"), prefix: fleet.settings.redisPrefix),
            health: fleet.health, logger: fleet.logger)
        let lanes = try fleet.commandLanes(of: .reservation) { connection in
            let changed = ChangedEvents()
            let worker = ReservationWorker(ledger: PostgresSeatStore(), changed: changed)
            return AvailabilityTelling(
                IdempotentConsumer(worker, ledger: PostgresInboxStore(connection, meaning: PostgresSeatStore.meaning)),
                changed: changed, to: feed)
        }
        // Services stop in reverse order, so the feed still tells of the lanes' last batches.
        return [feed] + lanes
    }
}
