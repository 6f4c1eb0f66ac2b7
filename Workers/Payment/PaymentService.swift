import Connections
import Contracts
import FleetRuntime
import FleetStorage
import Hosting
import Logging
import ServiceLifecycle

/// The payment role: its lanes, its sweep, its provider and its schema.
package enum PaymentService {
    package static let migrations = [
        Migration(
            name: "0001_create_charge",
            sql: String(decoding: PackageResources._001_create_charge_sql, as: UTF8.self)),
        Migration(
            name: "0002_publish_provider_charges",
            sql: String(decoding: PackageResources._002_publish_provider_charges_sql, as: UTF8.self)),
        Migration(
            name: "0050_publish_terms_of_charges",
            sql: String(decoding: PackageResources._050_publish_terms_of_charges_sql, as: UTF8.self)),
    ]

    package static func services(_ fleet: Fleet) throws -> [any Service] {
        let desk = desk(for: fleet)
        let lanes = try fleet.commandLanes(of: .payment) { connection in
            ExternalCallConsumer(
                PaymentWorker(book: PostgresChargeStore(), desk: desk, logger: fleet.logger),
                ledger: PostgresInboxStore(connection, meaning: PostgresChargeStore.meaning))
        }
        return lanes + [try jobRunner(fleet, desk)]
    }

    private static func jobRunner(_ fleet: Fleet, _ desk: PaymentGateway) throws -> any Service {
        let batch = 200
        let messagePublisher = try fleet.messagePublisher(of: .payment, for: "pending charges")
        let sweep = PendingCharges(
            book: PostgresChargeStore(),
            ledger: PostgresInboxStore(fleet.database(of: .payment, for: "pending charges")),
            desk: desk, messagePublisher: messagePublisher, batch: batch, logger: fleet.logger)
        fleet.health.expect(sweep.name)
        let jobRunner = PeriodicJobRunner(
            sweep, every: .milliseconds(200), batch: batch, health: fleet.health, logger: fleet.logger)
        return MailingSweeper(jobRunner: jobRunner, messagePublisher: messagePublisher, logger: fleet.logger)
    }

    private static func desk(for fleet: Fleet) -> PaymentGateway {
        switch fleet.settings.paymentProvider {
        case .simulated:
            return ConnectionThread.lend { thread in
                let connection = fleet.database(of: .payment, for: "simulated provider", on: thread)
                // It answers from the database, so many calls at once are cheap, and a slow one is a slow database.
                return PaymentGateway(
                    SimulatedProvider(connection, on: thread),
                    limits: .init(
                        width: 1_000, patience: .seconds(1),
                        breaker: CircuitBreaker(threshold: 100, pause: .seconds(1))),
                    on: thread, health: fleet.health, logger: fleet.logger)
            }
        }
    }
}

/// Opens a sweep's way to the broker before its first sweep, and closes it after the last.
private struct MailingSweeper: Service {
    let jobRunner: PeriodicJobRunner
    let messagePublisher: MessagePublisher
    let logger: Logger

    func run() async throws {
        do {
            try await messagePublisher.open()
        } catch {
            // The messagePublisher tries again when there is something to send.
            logger.warning("the broker cannot be reached yet", metadata: ["error": "\(error)"])
        }
        try await jobRunner.run()
        await messagePublisher.close()
    }
}
