import Contracts
import FleetRuntime
import FleetStorage
import Hosting
import Logging
import Postgres
import ServiceLifecycle

/// The fleet's durable timer: lanes that note timers, a sweep that makes them ring, a sweep that forgets old ones.
package enum ExpiryService {
    package static let migrations = [
        Migration(
            name: "0001_create_timer", sql: String(decoding: PackageResources._001_create_timer_sql, as: UTF8.self)),
        Migration(
            name: "0002_publish_timers",
            sql: String(decoding: PackageResources._002_publish_timers_sql, as: UTF8.self)),
    ]

    package static func services(_ fleet: Fleet) throws -> [any Service] {
        let lanes = try fleet.commandLanes(of: .expiry, urgency: .unhurried) { connection in
            Inboxed(ExpiryWorker(timers: PostgresTimers(connection)), ledger: PostgresLedger(connection))
        }
        return lanes + [try bell(fleet), broom(fleet)]
    }

    private static func bell(_ fleet: Fleet) throws -> any Service {
        let timers = PostgresTimers(fleet.database(of: .expiry, for: "due timers"))
        let mailer = try fleet.mailer(of: .expiry, for: "due timers")
        let work = DueTimers(timers, mailer: mailer, batch: 500)
        fleet.health.expect(work.name)
        let sweeper = Sweeper(
            work, every: .milliseconds(200), batch: work.batch, health: fleet.health, logger: fleet.logger)
        return PublishingSweeper(sweeper: sweeper, mailer: mailer, logger: fleet.logger)
    }

    private static func broom(_ fleet: Fleet) -> any Service {
        let work = EndedTimers(PostgresTimers(fleet.database(of: .expiry, for: "ended timers")), batch: 1_000)
        return Sweeper(work, every: .seconds(3_600), batch: work.batch, health: fleet.health, logger: fleet.logger)
    }
}

/// Runs a sweep that publishes, with its mailer open around it.
private struct PublishingSweeper: Service {
    let sweeper: Sweeper
    let mailer: Mailer
    let logger: Logger

    func run() async throws {
        do {
            try await mailer.open()
        } catch {
            logger.warning("the broker cannot be reached yet", metadata: ["error": "\(error)"])
        }
        try await sweeper.run()
        await mailer.close()
    }
}
