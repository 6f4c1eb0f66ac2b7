import Connections
import Foundation
import Logging
import Postgres
import Testing

/// The database that the integration tests run on; without `DATABASE_URL` they are skipped.
enum TestDatabase {
    static let url = ProcessInfo.processInfo.environment["DATABASE_URL"] ?? ""
    static var isThere: Bool { !url.isEmpty }

    static func configuration(_ schema: String? = nil) -> PostgresConfiguration {
        PostgresConfiguration(url: url, applicationName: "PostgresTests", searchPath: schema)
    }

    static func connection(_ configuration: PostgresConfiguration) -> PostgresConnection {
        PostgresConnection(configuration, logger: Logger(label: "test"))
    }

    /// Lends a connection in a schema of its own, which is dropped afterwards.
    static func withSchema(
        _ tables: String = "", _ body: (PostgresConnection, PostgresConfiguration) async throws -> Void
    ) async throws {
        ignoreBrokenPipes()
        let name = "test_" + UUID().uuidString.lowercased().filter { $0 != "-" }
        let settings = configuration(name)
        let connection = connection(settings)
        try await connection.script("CREATE SCHEMA \(name); \(tables)")
        do {
            try await body(connection, settings)
        } catch {
            try await connection.script("DROP SCHEMA \(name) CASCADE")
            throw error
        }
        try await connection.script("DROP SCHEMA \(name) CASCADE")
        await connection.close()
    }

    /// The error that the body throws; the test fails if it throws none or another kind.
    static func error(
        sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    ) async throws -> PostgresError {
        try await #require(throws: PostgresError.self, sourceLocation: sourceLocation) { try await body() }
    }

    /// Asks again and again until the answer is yes; gives up after five seconds.
    static func eventually(_ isTrue: () async throws -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(5)
        while ContinuousClock.now < deadline {
            if try await isTrue() { return true }
            try await Task.sleep(for: .milliseconds(20))
        }
        return false
    }
}
