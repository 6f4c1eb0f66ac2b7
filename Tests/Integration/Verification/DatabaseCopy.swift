import Configuration
import FleetRuntime
import Foundation
import Logging
import Postgres
import TestKit

/// Copies a database that nobody uses, lends the copy to `body`, and drops it.
func withCopy(of original: TestDatabase, _ body: (TestDatabase) async throws -> Void) async throws {
    guard let server = TestServers.databaseURL, var location = URLComponents(string: server),
        let template = URLComponents(string: original.url)?.path.dropFirst()
    else { throw MissingServer(name: "DATABASE_URL") }
    let name = uniqueName("copy")
    location.path = "/\(name)"
    guard let url = location.string else { throw MissingServer(name: "DATABASE_URL") }
    var patient = PostgresConfiguration(url: server, applicationName: "test")
    patient.statementTimeout = .seconds(60)
    let administrator = PostgresConnection(patient, logger: original.logger)
    try await administrator.script("CREATE DATABASE \(name) TEMPLATE \(template)")
    let outcome: Result<Void, any Error>
    do {
        try await body(TestDatabase(url: url, logger: original.logger))
        outcome = .success(())
    } catch {
        outcome = .failure(error)
    }
    try await administrator.script("DROP DATABASE \(name) WITH (FORCE)")
    await administrator.close()
    try outcome.get()
}

extension TestDatabase {
    /// The settings of a process that works on this database.
    func settings() throws -> Settings {
        try Settings(ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: ["DATABASE_URL": url])))
    }
}
