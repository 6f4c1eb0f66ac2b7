import Foundation
import Hosting
import Logging
import Postgres
import TestKit
import Verification

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
    /// What checks a fleet that works on this database, with the simulated provider in it.
    func verifier(_ options: Verifier.Options = Verifier.Options()) -> Verifier {
        Verifier(databaseURL: url, comparesProvider: true, options: options, logger: logger)
    }
}
