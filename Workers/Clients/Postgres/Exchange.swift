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
    private var answers: [Answer] = []

    /// One statement's answer, shared so that an array can hold it.
    private final class Answer {
        let handle: ResultHandle

        init(_ handle: consuming ResultHandle) {
            self.handle = handle
        }
    }

    var counts: [Int] { answers.map { $0.handle.affectedRows } }

    mutating func add(_ result: consuming ResultHandle) {
        answers.append(Answer(result))
    }

    /// Leaves out the answers to what went before, such as BEGIN.
    consuming func droppingFirst(_ count: Int) -> Replies {
        answers.removeFirst(count)
        return self
    }

    /// Leaves out the answer to the COMMIT that went last.
    consuming func droppingLast() -> Replies {
        answers.removeLast()
        return self
    }

    /// Decodes the rows of the next statement that returned any; an INSERT without RETURNING, say, has none to decode.
    mutating func decodeNext<each Column: PostgresDecodable>(
        as types: (repeat each Column).Type, _ sql: String
    ) throws(PostgresError) -> [(repeat each Column)] {
        guard let next = answers.firstIndex(where: { $0.handle.outcome == .rows }) else {
            throw PostgresError(.decoding, sql: sql, detail: "the statement returns no rows")
        }
        let answer = answers[next]
        answers.removeFirst(next + 1)
        return try answer.handle.rows(as: types, of: sql)
    }
}
