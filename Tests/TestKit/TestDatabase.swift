import Contracts
import FleetStorage
import Foundation
import Logging
import Postgres

/// A database of one test, migrated for the roles it needs.
package struct TestDatabase: Sendable {
    package let url: String
    package let logger: Logger

    package init(url: String, logger: Logger) {
        self.url = url
        self.logger = logger
    }

    /// A connection that acts as `role`, as the process would.
    package func connection(as role: FleetRole) -> PostgresConnection {
        PostgresConnection(
            PostgresConfiguration(
                url: url, applicationName: "test", role: role.databaseRole, searchPath: role.rawValue),
            logger: logger)
    }

    /// Connections that act as `role`, as the process would.
    package func pool(as role: FleetRole) -> PostgresPool {
        PostgresPool(
            PostgresConfiguration(
                url: url, applicationName: "test", role: role.databaseRole, searchPath: role.rawValue),
            size: 2, logger: logger)
    }

    /// A connection with every right, for looking behind the scenes.
    package func owner() -> PostgresConnection {
        PostgresConnection(PostgresConfiguration(url: url, applicationName: "test"), logger: logger)
    }
}

/// Makes a fresh database with the given schemas, lends it to `body`, and drops it.
package func withTestDatabase<R>(
    _ schemas: [(FleetRole, [Migration])], _ body: (TestDatabase) async throws -> R
) async throws -> R {
    guard let server = TestServers.databaseURL, var location = URLComponents(string: server) else {
        throw MissingServer(name: "DATABASE_URL")
    }
    var logger = Logger(label: "test")
    logger.logLevel = .error
    let name = uniqueName("test")
    location.path = "/\(name)"
    guard let url = location.string else { throw MissingServer(name: "DATABASE_URL") }
    // CREATE DATABASE copies a template under a lock, so parallel tests queue for it.
    var patient = PostgresConfiguration(url: server, applicationName: "test")
    patient.lockTimeout = .seconds(120)
    patient.statementTimeout = .seconds(120)
    patient.queryDeadline = .seconds(130)
    let administrator = PostgresConnection(patient, logger: logger)
    try await administrator.script("CREATE DATABASE \(name)")
    let database = TestDatabase(url: url, logger: logger)
    do {
        let owner = database.owner()
        for (role, migrations) in schemas {
            _ = try await Migrator(owner, logger: logger).migrate(role, with: migrations)
        }
        await owner.close()
        let result = try await body(database)
        try await administrator.script("DROP DATABASE \(name) WITH (FORCE)")
        await administrator.close()
        return result
    } catch {
        try await administrator.script("DROP DATABASE \(name) WITH (FORCE)")
        await administrator.close()
        throw error
    }
}

/// A test asked for a server that nobody started.
package struct MissingServer: Error, CustomStringConvertible {
    package let name: String

    package init(name: String) { self.name = name }

    package var description: String { "\(name) is not set; run the tests with compose/dev test" }
}
