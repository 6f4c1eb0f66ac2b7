import Contracts
import Postgres

/// Compares the rights that the fleet's roles have with those that the migrations gave them, and gives back what is gone.
package struct Privileges: Sendable {
    let connection: PostgresConnection

    package init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    /// Those of the rights that their holders lack; of what a later migration dropped nothing is lacking.
    package func missing(among privileges: [Privilege]) async throws -> [Privilege] {
        let rows = try await connection.query(
            """
            SELECT n FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
                WITH ORDINALITY AS wanted (holder, what, kind, object, part, n)
            WHERE CASE kind
                WHEN 'schema' THEN to_regnamespace(object) IS NOT NULL
                    AND NOT has_schema_privilege(holder::name, object, what)
                WHEN 'function' THEN to_regproc(object) IS NOT NULL
                    AND NOT has_function_privilege(holder::name, to_regproc(object)::oid, what)
                ELSE to_regclass(object) IS NOT NULL AND CASE
                    WHEN part IS NULL THEN NOT has_table_privilege(holder::name, to_regclass(object)::oid, what)
                    WHEN EXISTS (
                        SELECT FROM pg_attribute
                        WHERE attrelid = to_regclass(object) AND attname = part AND NOT attisdropped)
                    THEN NOT has_column_privilege(holder::name, to_regclass(object)::oid, part, what)
                    ELSE false END
                END
            ORDER BY n
            """,
            [
                privileges.map(\.holder), privileges.map(\.right), privileges.map(\.kind.rawValue),
                privileges.map(\.object), privileges.map(\.column),
            ], as: (Int).self)
        return rows.map { privileges[$0 - 1] }
    }

    /// Gives back what is missing.
    /// - Returns: the rights that were given now.
    package func restore(_ privileges: [Privilege]) async throws -> [Privilege] {
        let missing = try await missing(among: privileges)
        if !missing.isEmpty { try await connection.script(missing.map(\.grant).joined(separator: ";")) }
        return missing
    }

    /// The roles of the fleet that the session's user may not become, as every process does.
    package func rolesOutOfReach() async throws -> [String] {
        try await DatabaseRoles(connection: connection).outOfReach()
    }
}
