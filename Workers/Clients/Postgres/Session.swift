import CPostgres
import Connections
import Logging

/// One conversation with the server: a link, what it has prepared, and whether it can still be trusted.
///
/// Every exchange is one round trip that ends with one Sync, and runs to its end before the next begins.
final class Session {
    private let link: ConnectionHandle
    private let logger: Logger
    private var prepared = PreparedStatements()
    /// Set when the link broke or an answer is overdue; then nothing more may be asked.
    private(set) var isBroken = false
    let cancelTicket: CancelTicket?

    init(
        to configuration: PostgresConfiguration, on thread: ConnectionThread, logger: Logger
    ) throws(PostgresError) {
        self.logger = logger
        link = try ConnectionHandle.open(configuration, on: thread, logger: logger)
        cancelTicket = link.cancelTicket()
        _ = try exchange([configuration.preparation], within: configuration.connectTimeout + .seconds(2))
    }

    var isIdle: Bool { link.transaction == PQTRANS_IDLE }
    var hasFailedTransaction: Bool { link.transaction == PQTRANS_INERROR }

    /// Whether the session can be used; notices a link that died while nothing was asked.
    func isUsable() -> Bool {
        !isBroken && link.isAlive()
    }

    /// Sends the statements together and waits for all answers; the first error ends the batch.
    ///
    /// Outside a transaction the batch is one transaction of its own. Nothing is sent if a value cannot be.
    func exchange(_ statements: [Statement], within limit: Duration) throws(PostgresError) -> Replies {
        var steps: [Step] = []
        steps.reserveCapacity(statements.count)
        for statement in statements { steps.append(try Step(statement)) }
        let deadline = ContinuousClock.now + limit
        do {
            for index in steps.indices { try send(&steps[index]) }
            try link.sendSync()
            return try collect(steps, until: deadline)
        } catch {
            throw judged(error)
        }
    }

    /// Runs several statements as one text, without parameters.
    func script(_ sql: String, within limit: Duration) throws(PostgresError) {
        guard !sql.utf8.contains(0) else {
            throw PostgresError(.invalidData, sql: sql, detail: "the SQL holds a NUL character")
        }
        let deadline = ContinuousClock.now + limit
        do throws(PostgresError) {
            try link.sendScript(sql)
            var failure: PostgresError?
            while let result = try link.next(until: deadline, for: sql) {
                try note(result, of: sql, in: &failure)
            }
            try link.finishScript()
            if let failure { throw failure }
        } catch {
            throw judged(error)
        }
    }

    /// Frees what the server need not remember any more; call it between transactions.
    func tidy(within limit: Duration) {
        for name in prepared.takeEvicted() {
            do {
                try script("DEALLOCATE \(name)", within: limit)
            } catch {
                logger.debug("a prepared statement was already gone", metadata: ["error": "\(error)"])
            }
        }
    }

    private func send(_ step: inout Step) throws(PostgresError) {
        let (name, isNew) = prepared.name(for: step.key)
        step.isNew = isNew
        if isNew { try link.sendPreparation(of: step.key.sql, as: name, oids: step.key.oids) }
        try link.sendExecution(of: name, with: step.parameters, for: step.key.sql)
    }

    /// Reads the answers in the order of the questions, up to the Sync.
    private func collect(_ steps: [Step], until deadline: ContinuousClock.Instant) throws(PostgresError) -> Replies {
        var replies = Replies()
        var failure: PostgresError?
        for step in steps {
            if step.isNew, try read(step, until: deadline, &failure) == nil { prepared.forget(step.key) }
            let hadFailed = failure != nil
            if let result = try read(step, until: deadline, &failure) {
                replies.add(result)
            } else if !hadFailed, let error = failure, !step.isNew,
                error.sqlState == "26000" || error.sqlState == "0A000"
            {
                prepared.retire(step.key)
                failure = PostgresError(
                    .stalePlan, sqlState: error.sqlState, operation: error.operation, detail: error.detail)
            }
        }
        guard let end = try link.next(until: deadline, for: "sync"), end.outcome == .synced else {
            throw .outOfStep("sync")
        }
        // The empty result behind the Sync sets libpq's state to idle.
        _ = try link.next(until: deadline, for: "sync")
        if let failure { throw failure }
        return replies
    }

    /// Reads one step's result and the nil behind it; answers nil if the step failed or was skipped.
    private func read(
        _ step: Step, until deadline: ContinuousClock.Instant, _ failure: inout PostgresError?
    ) throws(PostgresError) -> ResultHandle? {
        let sql = step.key.sql
        guard let result = try link.next(until: deadline, for: sql) else { throw .outOfStep(sql) }
        let hasSucceeded = try note(result, of: sql, in: &failure)
        while let extra = try link.next(until: deadline, for: sql) { _ = consume extra }
        if hasSucceeded { return result }
        return nil
    }

    /// Keeps the first error; throws at once if the server has hung up with it.
    @discardableResult
    private func note(
        _ result: borrowing ResultHandle, of sql: String, in failure: inout PostgresError?
    ) throws(PostgresError) -> Bool {
        switch result.outcome {
        case .done, .rows: return true
        case .aborted: return false
        case .failed:
            let error = result.error(of: sql)
            if result.isFatal { throw error }
            failure = failure ?? error
            return false
        case .synced, .unexpected: throw .outOfStep(sql)
        }
    }

    /// Marks the session broken where the error means so; an overdue statement is asked to end.
    private func judged(_ error: PostgresError) -> PostgresError {
        switch error.code {
        case .timedOut:
            isBroken = true
            cancelTicket?.send()
        case .connectionLost, .readOnly: isBroken = true
        default: break
        }
        return error
    }
}

extension PostgresError {
    /// What came is not the answer to what was asked, a COPY for example; the link cannot be trusted any more.
    fileprivate static func outOfStep(_ sql: String) -> PostgresError {
        PostgresError(.connectionLost, sql: sql, detail: "the server's answers are out of step")
    }
}
