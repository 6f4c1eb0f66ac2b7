/// A statement on its way: encoded, with its place among the prepared ones.
struct Step {
    let key: PreparedStatements.Key
    let parameters: Parameters
    var isNew = false

    init(_ statement: Statement) throws(PostgresError) {
        guard !statement.sql.utf8.contains(0) else {
            throw PostgresError(.invalidData, sql: statement.sql, detail: "the SQL holds a NUL character")
        }
        parameters = try Parameters(of: statement)
        key = PreparedStatements.Key(sql: statement.sql, oids: parameters.oids)
    }
}

/// What a batch answered: the rows affected by each statement, and the rows of those that returned any.
struct Replies: ~Copyable {
    private(set) var counts: [Int] = []
    private var rows: [Rows] = []

    /// One statement's rows, shared so that an array can hold them.
    private final class Rows {
        let handle: ResultHandle

        init(_ handle: consuming ResultHandle) {
            self.handle = handle
        }
    }

    mutating func add(_ result: consuming ResultHandle) {
        counts.append(result.affectedRows)
        if result.outcome == .rows { rows.append(Rows(result)) }
    }

    /// Leaves out the answer to the BEGIN that went before.
    consuming func droppingFirst() -> Replies {
        counts.removeFirst()
        return self
    }

    /// Decodes the rows of the next statement that returned any; an INSERT without RETURNING, say, has none to decode.
    mutating func decodeNext<each Column: PostgresDecodable>(
        as types: (repeat each Column).Type, _ sql: String
    ) throws(PostgresError) -> [(repeat each Column)] {
        guard !rows.isEmpty else {
            throw PostgresError(.decoding, sql: sql, detail: "the statement returns no rows")
        }
        return try rows.removeFirst().handle.rows(as: types, of: sql)
    }
}
