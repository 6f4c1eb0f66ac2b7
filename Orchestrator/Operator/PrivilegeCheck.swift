import Contracts
import FleetStorage
import Payment
import Postgres

/// Looks whether the fleet's roles may do in the database what their migrations allow them.
struct PrivilegeCheck {
    let connection: PostgresConnection

    /// Names every right that is missing, and who can give it back.
    func finding() async -> Finding {
        do {
            let privileges = Privileges(connection)
            let unreachable = try await privileges.rolesOutOfReach()
            guard unreachable.isEmpty else {
                return .missing("DATABASE_URL's user may not become \(unreachable.joined(separator: ", "))")
            }
            let wanted = try FleetRole.allCases.flatMap { try Privilege.given(by: $0.migrations, in: $0.rawValue) }
            let missing = try await privileges.missing(among: wanted)
            guard missing.isEmpty else {
                return .missing("missing: " + missing.map(\.description).joined(separator: "; "))
            }
            return Finding("privileges", .well, "\(wanted.count) granted")
        } catch {
            return .missing("\(error)")
        }
    }
}

extension Finding {
    fileprivate static func missing(_ what: String) -> Finding {
        Finding("privileges", .toDo, "\(what); run as the database's owner: turnstile migrate")
    }
}
