import Contracts
import Postgres

/// Sees that the fleet's roles are there, and that whoever migrates may become each of them.
///
/// The processes connect as the owner of the database, who on managed PostgreSQL is no superuser, and become their
/// role. Since PostgreSQL 16 the right to create a role does not bring the right to become it.
struct DatabaseRoles: Sendable {
    /// What an administrator must do, because the owner may not.
    struct Missing: Error, CustomStringConvertible {
        let statement: String

        var description: String {
            "this user of the database may not make the fleet's roles, or not become them; let an administrator of "
                + "PostgreSQL run this once, and migrate again: \(statement)"
        }
    }

    private static let names = FleetRole.allCases.map(\.databaseRole)
    /// The right to become a role has a name of its own since PostgreSQL 16.
    private static let mode =
        "CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END"

    let connection: PostgresConnection

    func prepare() async throws {
        let absent = try await connection.query(
            "SELECT name FROM unnest($1::text[]) AS name WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)",
            [Self.names], as: (String).self)
        let unreachable = try await outOfReach()
        guard !absent.isEmpty || !unreachable.isEmpty else { return }
        do {
            try await make(absent)
        } catch {
            guard error.code == .insufficientPrivilege else { throw error }
            throw Missing(statement: try await remedy(absent: absent))
        }
    }

    private func make(_ absent: [String]) async throws(PostgresError) {
        let creations = absent.map { Self.creation(of: $0) + ";" }
        if !creations.isEmpty { try await connection.script(creations.joined(separator: "\n")) }
        let memberships = try await outOfReach().map { Self.membership(in: $0) + ";" }
        if !memberships.isEmpty { try await connection.script(memberships.joined(separator: "\n")) }
    }

    /// The roles that the session's user may not become.
    func outOfReach() async throws(PostgresError) -> [String] {
        try await connection.query(
            "SELECT rolname::text FROM pg_roles WHERE rolname = ANY($1) AND NOT pg_has_role(oid, \(Self.mode)) ORDER BY 1",
            [Self.names], as: (String).self)
    }

    private func remedy(absent: [String]) async throws -> String {
        let user = try await connection.query("SELECT quote_ident(current_user)", as: (String).self).first ?? "OWNER"
        let creations = absent.map { "CREATE ROLE \($0) LOGIN; " }.joined()
        return creations + "GRANT \(Self.names.joined(separator: ", ")) TO \(user);"
    }

    /// Two databases of one server share their roles, so making one may lose a race.
    private static func creation(of name: String) -> String {
        """
        DO $$ BEGIN
            CREATE ROLE \(name) LOGIN;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$
        """
    }

    /// Becoming a role is enough: whoever owns the tables needs none of its rights.
    private static func membership(in name: String) -> String {
        """
        DO $$ BEGIN
            EXECUTE 'GRANT \(name) TO CURRENT_USER' || CASE
                WHEN current_setting('server_version_num')::int >= 160000 THEN ' WITH INHERIT FALSE, SET TRUE'
                ELSE '' END;
        EXCEPTION WHEN unique_violation THEN NULL;
        END $$
        """
    }
}

extension FleetRole {
    /// The PostgreSQL role that owns nothing and may do just what this process needs.
    package var databaseRole: String { "turnstile_\(rawValue)" }
}
