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

    static let begin = Statement("BEGIN")
    static let commit = Statement("COMMIT")
    static let rollback = Statement("ROLLBACK")
}
