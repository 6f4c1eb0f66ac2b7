import FoundationEssentials

/// Names a database and the limits that every conversation with it keeps.
package struct PostgresConfiguration: Sendable {
    /// What libpq reads, passed through: `postgresql://user:password@one,two/name?target_session_attrs=read-write`.
    let url: HiddenURL
    package let applicationName: String
    /// The role to become after connecting (`SET ROLE`); nil stays who the URL says.
    package let role: String?
    package let searchPath: String?
    /// The server ends a statement that runs longer.
    package var statementTimeout: Duration = .seconds(5)
    /// The server ends a wait for a lock that lasts longer.
    package var lockTimeout: Duration = .seconds(2)
    /// The server ends a session that leaves its transaction idle for longer.
    package var idleInTransactionTimeout: Duration = .seconds(10)
    /// Allowed for each host of the URL, in whole seconds from 2; the URL's own `connect_timeout` wins.
    package var connectTimeout: Duration = .seconds(3)
    /// The client drops a connection that has not answered by then, so that a stopped server is noticed.
    package var queryDeadline: Duration = .seconds(10)
    /// The same for `script`, whose statements (an index, say) may take long.
    package var scriptDeadline: Duration = .seconds(600)
    /// Further settings of the session (`SET name TO value`).
    package var parameters: [(name: String, value: String)] = []

    package init(url: String, applicationName: String, role: String? = nil, searchPath: String? = nil) {
        self.url = HiddenURL(url)
        self.applicationName = applicationName
        self.role = role
        self.searchPath = searchPath
    }

    /// The settings for `PQconnectdbParams`: what comes before the URL is its default, what comes after overrules it.
    var keywords: [(name: String, value: String)] {
        [
            ("connect_timeout", String(max(2, connectTimeout.components.seconds))),
            ("tcp_user_timeout", "10000"),
            ("keepalives_idle", "10"),
            ("keepalives_interval", "3"),
            ("keepalives_count", "3"),
            ("dbname", url.text),
            ("application_name", applicationName),
            ("client_encoding", "UTF8"),
        ]
    }

    /// The statement that gives a new session its limits, role and search path.
    var preparation: Statement {
        var settings = [
            ("statement_timeout", statementTimeout.wholeMilliseconds),
            ("lock_timeout", lockTimeout.wholeMilliseconds),
            ("idle_in_transaction_session_timeout", idleInTransactionTimeout.wholeMilliseconds),
            ("client_connection_check_interval", "5000"),
        ]
        settings += parameters.map { ($0.name, $0.value) }
        if let searchPath { settings.append(("search_path", searchPath)) }
        if let role { settings.append(("role", role)) }
        return Statement(
            "SELECT set_config(name, value, false) FROM unnest($1, $2) WITH ORDINALITY s (name, value, n) ORDER BY n",
            settings.map(\.0), settings.map(\.1))
    }
}

/// A URL that may hold a password, and so does not print.
struct HiddenURL: Sendable, CustomStringConvertible, CustomReflectable {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    var description: String { "(hidden)" }
    var customMirror: Mirror { Mirror(self, children: []) }
}

extension Duration {
    /// Whole milliseconds as text, the way PostgreSQL's settings want them.
    fileprivate var wholeMilliseconds: String {
        String(components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000)
    }
}
