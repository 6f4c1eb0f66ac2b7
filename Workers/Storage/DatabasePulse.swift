import FleetRuntime
import Postgres

/// Asks whether a lane's database is there, so that an idle lane need not wait for a message to learn that it is not.
package struct DatabasePulse: PeriodicJob {
    let connection: PostgresConnection
    package let name: String

    package init(connection: PostgresConnection, name: String) {
        self.connection = connection
        self.name = name
    }
    package let failure = "the database does not answer, and is asked again"

    package func runOnce() async throws -> Int {
        _ = try await connection.query("SELECT 1", as: Int.self)
        return 0
    }
}
