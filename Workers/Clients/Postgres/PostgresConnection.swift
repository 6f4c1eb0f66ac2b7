import Connections
import Logging

/// One database session on one thread: it opens at first use, and opens again after its link was lost.
///
/// Statements of different callers never mix: whoever has a transaction open has the connection to itself, and others
/// wait in line, at most `queryDeadline`. Statements are prepared once and kept, by text and parameter types.
package actor PostgresConnection: Closeable {
    private let configuration: PostgresConfiguration
    private let thread: ConnectionThread
    private let turn = AsyncSemaphore(1)
    private let cancelDesk = CancelHandle()
    private let conversation: Conversation

    package nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe thread.asUnownedSerialExecutor() }

    /// - Parameter thread: one that others use as well; nil for a thread of its own.
    package init(_ configuration: PostgresConfiguration, on thread: ConnectionThread? = nil, logger: Logger) {
        self.configuration = configuration
        self.thread = thread?.shared() ?? ConnectionThread()
        conversation = Conversation(configuration, on: self.thread, cancelDesk: cancelDesk, logger: logger)
    }

    isolated deinit {
        conversation.close()
        thread.retire()
    }

    /// Connects now rather than at the first use.
    package func open() async throws(PostgresError) {
        try await takeTurn("connect")
        defer { turn.release() }
        try conversation.usableSession()
    }

    /// Ends the session for good; the server rolls back a transaction that is open.
    package func close() async {
        turn.close()
        conversation.close()
    }

    /// Runs one statement by itself and decodes its rows, one Swift type for each column.
    package func query<each Column: PostgresDecodable & Sendable>(
        _ sql: String, _ parameters: [any PostgresEncodable] = [], as types: (repeat each Column).Type
    ) async throws(PostgresError) -> [(repeat each Column)] {
        try await takeTurn(sql)
        defer { turn.release() }
        var replies = try conversation.run([Statement(sql, parameters: parameters)])
        return try replies.decodeNext(as: types, sql)
    }

    /// Runs one statement by itself and counts the rows that it affected or returned.
    package func execute(
        _ sql: String, _ parameters: [any PostgresEncodable] = []
    ) async throws(PostgresError) -> Int {
        try await pipeline([Statement(sql, parameters: parameters)])[0]
    }

    /// Runs the statements in one round trip, all or none of them, and counts the rows of each.
    package func pipeline(_ statements: [Statement]) async throws(PostgresError) -> [Int] {
        guard let first = statements.first else { return [] }
        try await takeTurn(first.sql)
        defer { turn.release() }
        return try conversation.run(statements).counts
    }

    /// Runs a text of several statements, for migrations; all or none, unless it holds transactions of its own.
    package func script(_ sql: String) async throws(PostgresError) {
        try await takeTurn(sql)
        defer { turn.release() }
        try conversation.script(sql)
    }

    /// Runs the body in one transaction: commits when it returns, rolls back when it throws.
    ///
    /// BEGIN goes out with the first statement. A transaction in which a statement failed is never committed, even if
    /// the body ignores the error.
    /// - Important: `connectionLost` or `timedOut` at COMMIT leave the outcome open; look up the idempotency rows.
    package nonisolated func transaction<R>(_ body: (Transaction) async throws -> R) async throws -> R {
        let transaction = Transaction(connection: self, token: try await begin())
        let result: R
        do {
            result = try await body(transaction)
        } catch {
            await abandon(transaction.token)
            throw error
        }
        try await finish(transaction.token, after: transaction.postponed.take())
        return result
    }

    /// Asks the server, from any thread, to end what runs now; the statement then throws `.cancelled`.
    ///
    /// The request travels on a connection of its own, and may find the next statement instead. `PQcancel`.
    package nonisolated func requestCancel() {
        cancelDesk.send()
    }

    // MARK: - Steps of a transaction

    private func begin() async throws(PostgresError) -> UInt64 {
        try await takeTurn("BEGIN")
        return conversation.begin()
    }

    private func abandon(_ token: UInt64) {
        conversation.end()
        turn.release()
    }

    private func finish(_ token: UInt64, after postponed: [Statement]) throws(PostgresError) {
        defer { turn.release() }
        try conversation.finish(token, after: postponed)
    }

    func query<each Column: PostgresDecodable & Sendable>(
        _ statement: Statement, as types: (repeat each Column).Type, after postponed: [Statement], in token: UInt64
    ) throws(PostgresError) -> [(repeat each Column)] {
        var replies = try conversation.run(postponed + [statement], in: token).droppingFirst(postponed.count)
        do {
            return try replies.decodeNext(as: types, statement.sql)
        } catch {
            conversation.fail(error, in: token)
            throw error
        }
    }

    func query<each Column: PostgresDecodable & Sendable, each Other: PostgresDecodable & Sendable>(
        _ first: Statement, as types: (repeat each Column).Type,
        _ second: Statement, as others: (repeat each Other).Type, after postponed: [Statement], in token: UInt64
    ) throws(PostgresError) -> ([(repeat each Column)], [(repeat each Other)]) {
        var replies = try conversation.run(postponed + [first, second], in: token).droppingFirst(postponed.count)
        do {
            let rows = try replies.decodeNext(as: types, first.sql)
            return (rows, try replies.decodeNext(as: others, second.sql))
        } catch {
            conversation.fail(error, in: token)
            throw error
        }
    }

    func pipeline(
        _ statements: [Statement], after postponed: [Statement], in token: UInt64
    ) throws(PostgresError) -> [Int] {
        try conversation.run(postponed + statements, in: token).droppingFirst(postponed.count).counts
    }

    func commit(
        after statements: [Statement], and postponed: [Statement], in token: UInt64
    ) throws(PostgresError) -> [Int] {
        try conversation.commit(after: postponed + statements, in: token).droppingFirst(postponed.count).counts
    }

    func commit<each Column: PostgresDecodable & Sendable>(
        after statement: Statement, as types: (repeat each Column).Type, and postponed: [Statement], in token: UInt64
    ) throws(PostgresError) -> [(repeat each Column)] {
        var replies = try conversation.commit(after: postponed + [statement], in: token)
            .droppingFirst(postponed.count)
        return try replies.decodeNext(as: types, statement.sql)
    }

    private func takeTurn(_ sql: String) async throws(PostgresError) {
        switch await turn.acquire(within: configuration.queryDeadline) {
        case .granted: return
        case .expired:
            throw PostgresError(
                .timedOut, sql: sql, detail: "another transaction holds the connection")
        case .closed:
            throw PostgresError(.closed, sql: sql, detail: "the connection was closed")
        }
    }
}
