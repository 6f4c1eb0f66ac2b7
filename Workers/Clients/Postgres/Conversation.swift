import Connections
import Logging

/// What one connection is doing: its session, if it has one, and its transaction, if one is open.
///
/// Used on the connection's own thread only; every call runs to its end, so nothing comes between two of its steps.
final class Conversation {
    private let configuration: PostgresConfiguration
    private let thread: ConnectionThread
    private let logger: Logger
    private let cancelDesk: CancelHandle
    private var session: Session?
    private var scope: TransactionScope?
    private var lastToken: UInt64 = 0
    private var isClosed = false

    init(
        _ configuration: PostgresConfiguration, on thread: ConnectionThread, cancelDesk: CancelHandle, logger: Logger
    ) {
        self.configuration = configuration
        self.thread = thread
        self.cancelDesk = cancelDesk
        self.logger = logger
    }

    func close() {
        isClosed = true
        dropSession()
    }

    /// Runs the statements outside a transaction; a stale plan is prepared again, once.
    func run(_ statements: [Statement]) throws(PostgresError) -> Replies {
        let session = try usableSession()
        do {
            return try runAlone(statements, on: session)
        } catch {
            guard error.code == .stalePlan else { throw error }
            return try runAlone(statements, on: session)
        }
    }

    func script(_ sql: String) throws(PostgresError) {
        let session = try usableSession()
        defer { dropIfBroken() }
        do {
            try session.script(sql, within: configuration.scriptDeadline)
        } catch {
            rollBack(session)
            throw error
        }
        try refuseStrayTransaction(on: session)
    }

    /// Opens a session unless a live one is there.
    @discardableResult
    func usableSession() throws(PostgresError) -> Session {
        guard !isClosed else { throw PostgresError(.closed, operation: "connect", detail: "the connection was closed") }
        if let session, session.isUsable() { return session }
        if session != nil { logger.info("postgres session lost while idle; connecting again") }
        dropSession()
        let fresh = try Session(to: configuration, on: thread, logger: logger)
        session = fresh
        cancelDesk.place(fresh.cancelTicket)
        return fresh
    }

    // MARK: - Transactions

    /// Promises a transaction; the server hears of it with the first statement.
    func begin() -> UInt64 {
        lastToken += 1
        scope = TransactionScope(token: lastToken)
        return lastToken
    }

    /// Runs statements inside the transaction, and its BEGIN before the first.
    func run(_ statements: [Statement], in token: UInt64) throws(PostgresError) -> Replies {
        let session = try sessionForTransaction(token)
        let mustBegin = scope?.hasBegun == false
        defer { dropIfBroken() }
        do {
            let replies = try session.exchange(
                mustBegin ? [.begin] + statements : statements, within: configuration.queryDeadline)
            scope?.hasBegun = true
            return mustBegin ? replies.droppingFirst(1) : replies
        } catch {
            scope?.hasBegun = !session.isIdle
            // The server remembers that a statement failed; what it does not know of, the scope remembers.
            if session.isBroken || session.isIdle || !session.hasFailedTransaction { scope?.failure = error }
            throw error
        }
    }

    /// Dooms the transaction, because the caller did not get the answer it asked for.
    func fail(_ error: PostgresError, in token: UInt64) {
        if scope?.token == token { scope?.failure = error }
    }

    /// Runs the last statements and COMMIT in one round trip; a statement that fails takes the COMMIT with it.
    func commit(after statements: [Statement], in token: UInt64) throws(PostgresError) -> Replies {
        let session = try sessionForTransaction(token)
        guard !session.hasFailedTransaction else {
            throw PostgresError(
                .other, sqlState: "25P02", operation: "COMMIT", detail: "a statement failed and its error was ignored")
        }
        guard scope?.hasBegun == true || !statements.isEmpty else {
            scope?.isOver = true
            return Replies()
        }
        let replies = try run(statements + [.commit], in: token)
        scope?.isOver = true
        return replies.droppingLast()
    }

    /// Ends the transaction after its body: commits unless that has happened; whatever fails is rolled back.
    func finish(_ token: UInt64, after statements: [Statement]) throws(PostgresError) {
        defer { end() }
        guard scope?.isOver == false || !statements.isEmpty else { return }
        _ = try commit(after: statements, in: token)
    }

    /// Ends the transaction, rolling back what has not been committed.
    func end() {
        defer { scope = nil }
        guard let session else { return }
        if scope?.hasBegun == true, scope?.isOver == false { rollBack(session) }
        if !session.isBroken { session.tidy(within: configuration.queryDeadline) }
        dropIfBroken()
    }

    private func rollBack(_ session: Session) {
        guard !session.isBroken, !session.isIdle else { return }
        do {
            _ = try session.exchange([.rollback], within: configuration.queryDeadline)
        } catch {
            // The server rolls back by itself when the session ends.
            logger.info("rollback failed; the session is dropped", metadata: ["error": "\(error)"])
            dropSession()
        }
    }

    private func sessionForTransaction(_ token: UInt64) throws(PostgresError) -> Session {
        guard !isClosed, let scope, scope.token == token, !scope.isOver else {
            throw PostgresError(.closed, operation: "transaction", detail: "the transaction has ended")
        }
        if let failure = scope.failure { throw failure }
        guard scope.hasBegun else { return try usableSession() }
        guard let session, !session.isBroken else {
            throw PostgresError(.connectionLost, operation: "transaction", detail: "its session is gone")
        }
        guard !session.isIdle else {
            throw PostgresError(.other, operation: "transaction", detail: "one of its own statements has ended it")
        }
        return session
    }

    // MARK: - Housekeeping

    private func runAlone(_ statements: [Statement], on session: Session) throws(PostgresError) -> Replies {
        defer { dropIfBroken() }
        let replies: Replies
        do {
            replies = try session.exchange(statements, within: configuration.queryDeadline)
        } catch {
            rollBack(session)
            throw error
        }
        try refuseStrayTransaction(on: session)
        session.tidy(within: configuration.queryDeadline)
        return replies
    }

    /// Refuses a BEGIN that was sent as a plain statement, before somebody else's statements fall into it.
    private func refuseStrayTransaction(on session: Session) throws(PostgresError) {
        guard !session.isIdle else { return }
        rollBack(session)
        throw PostgresError(.other, operation: "statement", detail: "it left a transaction open; use transaction { }")
    }

    private func dropIfBroken() {
        if session?.isBroken == true { dropSession() }
    }

    private func dropSession() {
        session = nil
        cancelDesk.place(nil)
    }
}

/// How far one transaction has come.
private struct TransactionScope {
    let token: UInt64
    /// Whether the server has been told.
    var hasBegun = false
    /// Whether it was committed or rolled back.
    var isOver = false
    /// Why it can only be rolled back, where the server does not know it.
    var failure: PostgresError?
}
