/// One SQL statement with its parameters `$1, $2, …`; values never enter the text.
package struct Statement: Sendable {
    package let sql: String
    package let parameters: [any PostgresEncodable]

    package init(_ sql: String, _ parameters: any PostgresEncodable...) {
        self.init(sql, parameters: parameters)
    }

    package init(_ sql: String, parameters: [any PostgresEncodable]) {
        self.sql = sql
        self.parameters = parameters
    }

    /// The same INSERT, UPDATE or DELETE, but it fails with `unexpectedRowCount`, and its transaction with it, unless it
    /// touches just so many rows; so a COMMIT can go out behind it before anybody has counted.
    ///
    /// Counting in the server can only fail by an error of the server: dividing by zero is one, SQLSTATE 22012.
    package func touching(exactly rows: Int) -> Statement {
        Statement(
            "WITH touched AS (\(sql) RETURNING 1) SELECT 1 / (count(*) = $\(parameters.count + 1))::int FROM touched",
            parameters: parameters + [rows])
    }

    static let begin = Statement("BEGIN")
    static let commit = Statement("COMMIT")
    static let rollback = Statement("ROLLBACK")
}
