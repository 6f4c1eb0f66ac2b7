import Postgres

/// Asks whether a lane's database is there, so that an idle lane need not wait for a message to learn that it is not.
struct DatabasePulse: Sweep {
    let connection: PostgresConnection
    let name: String
    let failure = "the database does not answer, and is asked again"

    func sweep() async throws -> Int {
        _ = try await connection.query("SELECT 1", as: Int.self)
        return 0
    }
}
