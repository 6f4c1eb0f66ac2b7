import ArgumentParser
import Contracts
import Expiry
import FleetStorage
import Hosting
import Logging
import Notification
import OrchestratorService
import Payment
import Postgres
import Recommendation
import Reservation

/// Brings every schema of the fleet to its newest form.
struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Create or update the schemas and roles of the fleet, and give back rights that were revoked.",
        discussion: """
            Safe to repeat, and to run from several places at once. Run it as the owner of the database; a superuser is \
            not needed. An owner who may not create roles is told the one line that an administrator must run.
            """)

    func run() async throws {
        let settings = try Settings.fromEnvironment()
        let logger = Logger(label: "turnstile")
        var configuration = PostgresConfiguration(url: settings.databaseURL, applicationName: "turnstile migrate")
        configuration.statementTimeout = .seconds(300)
        configuration.lockTimeout = .seconds(300)
        configuration.queryDeadline = .seconds(310)
        let connection = PostgresConnection(configuration, logger: logger)
        let migrator = Migrator(connection, logger: logger)
        for role in FleetRole.allCases {
            let applied = try await migrator.migrate(role, with: role.migrations)
            print("\(role.rawValue): \(applied.isEmpty ? "up to date" : applied.joined(separator: ", "))")
        }
        await connection.close()
    }
}

extension FleetRole {
    var migrations: [Migration] {
        switch self {
        case .orchestrator: OrchestratorService.migrations
        case .reservation: ReservationService.migrations
        case .payment: PaymentService.migrations
        case .notification: NotificationService.migrations
        case .expiry: ExpiryService.migrations
        case .recommendation: RecommendationService.migrations
        }
    }
}
