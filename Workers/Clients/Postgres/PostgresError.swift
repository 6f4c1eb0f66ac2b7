/// Says why the database did not do what was asked, in the server's own words where it had any.
package struct PostgresError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// The link broke during the conversation; what was in flight may or may not have happened.
        case connectionLost
        /// No session could be opened; nothing was sent.
        case connectFailed
        /// The client's own deadline passed and the link was dropped; the outcome is unknown.
        case timedOut
        /// Every connection of the pool stayed in use until the deadline.
        case poolExhausted
        case uniqueViolation, checkViolation, foreignKeyViolation, notNullViolation
        case serializationFailure, deadlock, lockTimeout, statementTimeout
        /// Somebody had the statement ended: an operator (`pg_cancel_backend`), or we.
        case cancelled
        case adminShutdown, cannotConnectNow, tooManyConnections, readOnly, diskFull
        case insufficientPrivilege, undefinedTable
        /// A statement did not touch just the rows that it was meant to.
        case unexpectedRowCount
        /// The server could not make sense of a value: SQLSTATE class 22.
        case invalidData
        /// A value does not fit the Swift type that was asked for, or cannot be sent.
        case decoding
        /// A prepared statement went stale inside a transaction; it is forgotten, so a second try prepares it anew.
        case stalePlan
        /// The connection, the pool or the transaction has ended.
        case closed
        case other
    }

    package let code: Code
    /// The five-letter SQLSTATE, absent if the server did not answer.
    package let sqlState: String?
    /// The beginning of the SQL, or the step, that failed; never a parameter's value.
    package let operation: String
    /// The server's primary message, or the client's reason.
    package let detail: String
    /// The constraint that was violated, where the server names one.
    package let constraint: String?

    package init(
        _ code: Code, sqlState: String? = nil, operation: String, detail: String, constraint: String? = nil
    ) {
        self.code = code
        self.sqlState = sqlState
        self.operation = operation
        self.detail = detail
        self.constraint = constraint
    }

    package var description: String {
        let state = sqlState.map { " (SQLSTATE \($0))" } ?? ""
        let rule = constraint.map { " [\($0)]" } ?? ""
        let what =
            switch code {
            case .connectFailed where detail.contains("FATAL:"): "PostgreSQL refuses the connection"
            case .connectFailed: "PostgreSQL cannot be reached"
            case .connectionLost: "the connection to PostgreSQL broke"
            case .timedOut: "PostgreSQL did not answer in time"
            case .poolExhausted: "every connection to PostgreSQL is in use"
            case .insufficientPrivilege: "PostgreSQL does not permit it"
            default: "PostgreSQL refused a statement"
            }
        return "\(what): \(detail)\(rule)\(state), at \(operation)"
    }

    /// Whether the same work may succeed later without being changed.
    ///
    /// - Important: after a COMMIT `connectionLost` and `timedOut` leave the outcome open: look up the idempotency
    ///   rows before doing the work again.
    package var isTransient: Bool {
        switch code {
        case .connectionLost, .connectFailed, .timedOut, .poolExhausted, .serializationFailure, .deadlock,
            .lockTimeout, .cancelled, .adminShutdown, .cannotConnectNow, .tooManyConnections, .readOnly, .diskFull,
            .stalePlan:
            true
        case .uniqueViolation, .checkViolation, .foreignKeyViolation, .notNullViolation, .statementTimeout,
            .insufficientPrivilege, .undefinedTable, .unexpectedRowCount, .invalidData, .decoding, .closed, .other:
            false
        }
    }
}

extension PostgresError {
    /// An error of a statement, named by the beginning of its SQL on one line.
    init(
        _ code: Code, sqlState: String? = nil, sql: String, detail: String, constraint: String? = nil
    ) {
        let words = sql.prefix(400).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        self.init(
            code, sqlState: sqlState, operation: words.count > 80 ? words.prefix(80) + "…" : words, detail: detail,
            constraint: constraint)
    }
}

extension PostgresError.Code {
    /// The code for a SQLSTATE; whatever nobody decides on is `.other`.
    ///
    /// - Parameter message: the server's own words, which alone tell a statement that took too long from one that
    ///   somebody ended: both are 57014.
    package init(sqlState: String, message: String = "") {
        self =
            switch sqlState {
            case "23505": .uniqueViolation
            case "23514": .checkViolation
            case "23503": .foreignKeyViolation
            case "23502": .notNullViolation
            case "40001": .serializationFailure
            case "40P01": .deadlock
            case "55P03": .lockTimeout
            case "57014": message.contains("statement timeout") ? .statementTimeout : .cancelled
            case "57P01", "57P02": .adminShutdown
            case "57P03": .cannotConnectNow
            case "53300": .tooManyConnections
            case "53100": .diskFull
            case "25006": .readOnly
            case "42501": .insufficientPrivilege
            case "42P01": .undefinedTable
            case "22012": .unexpectedRowCount
            default: sqlState.hasPrefix("08") ? .connectionLost : sqlState.hasPrefix("22") ? .invalidData : .other
            }
    }
}
