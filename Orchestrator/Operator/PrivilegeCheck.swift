import Contracts
import FleetRuntime
import Logging
import Postgres

/// Looks whether the fleet's roles may do in the database what their migrations allow them.
struct PrivilegeCheck {
    let settings: Settings
    let logger: Logger

    /// - Throws: `Refusal` that names every right that is missing.
    func run() async throws -> String {
        let connection = PostgresConnection(
            PostgresConfiguration(url: settings.databaseURL, applicationName: "turnstile doctor"), logger: logger)
        return try await connection.lent { connection in
            let privileges = Privileges(connection)
            let unreachable = try await privileges.rolesOutOfReach()
            guard unreachable.isEmpty else {
                throw Refusal("DATABASE_URL's user may not become \(unreachable.joined(separator: ", "))")
            }
            let wanted = try FleetRole.allCases.flatMap { try Privilege.given(by: $0.migrations, in: $0.rawValue) }
            let missing = try await privileges.missing(among: wanted)
            guard missing.isEmpty else {
                throw Refusal("missing: " + missing.map(\.description).joined(separator: "; "))
            }
            return "\(wanted.count) granted"
        }
    }
}
