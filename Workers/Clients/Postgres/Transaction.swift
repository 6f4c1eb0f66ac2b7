import Synchronization

/// An open transaction; it ends with the body that it was given to, and later uses throw `.closed`.
package struct Transaction: Sendable {
    let connection: PostgresConnection
    let token: UInt64
    let postponed = PostponedStatements()

    /// Lets statements whose answers nobody needs travel with whatever is sent next, at the latest with COMMIT.
    ///
    /// Their errors are thrown there.
    package func postpone(_ statements: [Statement]) {
        postponed.add(statements)
    }

    /// Runs one statement and decodes its rows, one Swift type for each column.
    package func query<each Column: PostgresDecodable & Sendable>(
        _ sql: String, _ parameters: [any PostgresEncodable] = [], as types: (repeat each Column).Type
    ) async throws(PostgresError) -> [(repeat each Column)] {
        try await connection.query(
            Statement(sql, parameters: parameters), as: types, after: postponed.take(), in: token)
    }

    /// Runs two statements in one round trip and decodes the rows of both; the second sees what the first has locked.
    package func query<each Column: PostgresDecodable & Sendable, each Other: PostgresDecodable & Sendable>(
        _ first: Statement, as types: (repeat each Column).Type,
        _ second: Statement, as others: (repeat each Other).Type
    ) async throws(PostgresError) -> ([(repeat each Column)], [(repeat each Other)]) {
        try await connection.query(first, as: types, second, as: others, after: postponed.take(), in: token)
    }

    /// Runs one statement and counts the rows that it affected or returned.
    package func execute(
        _ sql: String, _ parameters: [any PostgresEncodable] = []
    ) async throws(PostgresError) -> Int {
        try await pipeline([Statement(sql, parameters: parameters)])[0]
    }

    /// Runs the statements in one round trip and counts the rows of each.
    package func pipeline(_ statements: [Statement]) async throws(PostgresError) -> [Int] {
        guard !statements.isEmpty else { return [] }
        return try await connection.pipeline(statements, after: postponed.take(), in: token)
    }

    /// Runs the last statements and COMMIT in one round trip; if one fails, nothing is committed.
    ///
    /// - Important: `connectionLost` or `timedOut` leave the outcome open; look up the idempotency rows.
    package func commit(after statements: [Statement]) async throws(PostgresError) -> [Int] {
        try await connection.commit(after: statements, and: postponed.take(), in: token)
    }

    /// Runs a last statement that returns rows, and COMMIT, in one round trip; if one fails, nothing is committed.
    ///
    /// - Important: `connectionLost`, `timedOut` or `decoding` leave the outcome open; look up the idempotency rows.
    package func commit<each Column: PostgresDecodable & Sendable>(
        after statement: Statement, as types: (repeat each Column).Type
    ) async throws(PostgresError) -> [(repeat each Column)] {
        try await connection.commit(after: statement, as: types, and: postponed.take(), in: token)
    }
}

/// Statements on their way to the connection, kept where adding one costs no change of threads.
final class PostponedStatements: Sendable {
    private let statements = Mutex<[Statement]>([])

    func add(_ more: [Statement]) {
        statements.withLock { $0 += more }
    }

    func take() -> [Statement] {
        statements.withLock { statements in
            defer { statements = [] }
            return statements
        }
    }
}
