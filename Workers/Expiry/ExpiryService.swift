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
            IdempotentConsumer(ExpiryWorker(timers: PostgresTimers(connection)), ledger: PostgresInboxStore(connection))
        }
        return lanes + [try signal(fleet), broom(fleet)]
    }

    private static func signal(_ fleet: Fleet) throws -> any Service {
        let timers = PostgresTimers(fleet.database(of: .expiry, for: "due timers"))
        let messagePublisher = try fleet.messagePublisher(of: .expiry, for: "due timers")
        let work = DueTimers(timers, messagePublisher: messagePublisher, batch: 500)
        fleet.health.expect(work.name)
        let jobRunner = PeriodicJobRunner(
            work, every: .milliseconds(200), batch: work.batch, health: fleet.health, logger: fleet.logger)
        return PublishingSweeper(jobRunner: jobRunner, messagePublisher: messagePublisher, logger: fleet.logger)
    }

    private static func broom(_ fleet: Fleet) -> any Service {
        let work = EndedTimers(PostgresTimers(fleet.database(of: .expiry, for: "ended timers")), batch: 1_000)
        return PeriodicJobRunner(
            work, every: .seconds(3_600), batch: work.batch, health: fleet.health, logger: fleet.logger)
    }
}

/// Runs a sweep that publishes, with its messagePublisher open around it.
private struct PublishingSweeper: Service {
    let jobRunner: PeriodicJobRunner
    let messagePublisher: MessagePublisher
    let logger: Logger

    func run() async throws {
        do {
            try await messagePublisher.open()
        } catch {
            logger.warning("the broker cannot be reached yet", metadata: ["error": "\(error)"])
        }
        try await jobRunner.run()
        await messagePublisher.close()
    }
}
