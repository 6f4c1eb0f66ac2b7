import Contracts

/// A right that a schema's migrations give to one of the fleet's roles.
package struct Privilege: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        case schema, table, function
    }

    /// Such as `SELECT`.
    package let right: String
    package let kind: Kind
    /// With its schema, such as `reservation.tier`.
    package let object: String
    /// For a right to one column only.
    package let column: String?
    /// The role that has it.
    package let holder: String

    package var description: String {
        "\(right)\(column.map { " (\($0))" } ?? "") on \(kind == .table ? "" : "\(kind.rawValue) ")\(object) to \(holder)"
    }

    var grant: String {
        let columns = column.map { " (\($0))" } ?? ""
        let kind = kind == .table ? "" : "\(kind.rawValue.uppercased()) "
        return "GRANT \(right)\(columns) ON \(kind)\(object) TO \(holder)"
    }
}

extension Privilege {
    /// A GRANT or REVOKE of a migration that cannot be understood.
    struct Unreadable: Error, CustomStringConvertible {
        let statement: String

        var description: String { "a migration's privileges cannot be read: \(statement)" }
    }

    /// The rights that stand when all of the migrations ran, in the order of their first mention.
    ///
    /// The migrations are the one place where rights are written down; here they are read from there.
    package static func given(by migrations: [Migration], in schema: String) throws -> [Privilege] {
        var standing: [Privilege] = []
        for migration in migrations.sorted(by: { $0.name < $1.name }) {
            for statement in statements(of: migration.sql) {
                let (isGrant, privileges) = try read(statement, in: schema)
                standing.removeAll { privileges.contains($0) }
                if isGrant { standing += privileges }
            }
        }
        return standing
    }

    /// The statements that give or take rights, each on one line, without comments.
    private static func statements(of sql: String) -> [String] {
        let lines: [Substring] = sql.split(separator: "\n").map { line in
            line.firstRange(of: "--").map { line[..<$0.lowerBound] } ?? line
        }
        let code: String = lines.joined(separator: "\n")
        return code.split(separator: ";").compactMap { (statement: Substring) -> String? in
            let words: [Substring] = statement.split(whereSeparator: \.isWhitespace)
            guard let first = words.first, first == "GRANT" || first == "REVOKE" else { return nil }
            return words.joined(separator: " ")
        }
    }

    private static func read(_ statement: String, in schema: String) throws -> (isGrant: Bool, [Privilege]) {
        guard
            let parts = statement.wholeMatch(
                of: #/(GRANT|REVOKE) (.+?) ON (?:(SCHEMA|FUNCTION|TABLE) )?(.+) (?:TO|FROM) (.+)/#)
        else { throw Unreadable(statement: statement) }
        let kind = parts.3.flatMap { Kind(rawValue: $0.lowercased()) } ?? .table
        let fleet = Set(FleetRole.allCases.map(\.databaseRole))
        var privileges: [Privilege] = []
        for (right, columns) in try rights(in: parts.2, of: statement) {
            for object in list(parts.4) {
                let name = kind == .schema || object.contains(".") ? object : "\(schema).\(object)"
                for holder in list(parts.5) where fleet.contains(holder) {
                    privileges += columns.map {
                        Privilege(right: right, kind: kind, object: name, column: $0, holder: holder)
                    }
                }
            }
        }
        return (parts.1 == "GRANT", privileges)
    }

    /// `SELECT, UPDATE (status, seats)` as rights with their columns; nil stands for the whole object.
    private static func rights(
        in text: Substring, of statement: String
    ) throws -> [(right: String, columns: [String?])] {
        var rest = text
        var rights: [(String, [String?])] = []
        while let match = rest.prefixMatch(of: #/ *([A-Z]+)(?: ?\(([^)]*)\))? *(?:,|$)/#) {
            rights.append((String(match.1), match.2.map { list($0).map(Optional.some) } ?? [nil]))
            rest = rest[match.range.upperBound...]
        }
        guard rest.isEmpty, !rights.isEmpty else { throw Unreadable(statement: statement) }
        return rights
    }

    private static func list(_ text: Substring) -> [String] {
        text.split(separator: ",").map { part in
            String(part.trimmingPrefix(while: \.isWhitespace).split(separator: " ").first ?? "")
        }
    }
}
