import CPostgres

/// The only owner of a `PGresult`; rows are decoded straight from it, and letting it go frees it.
@safe struct ResultHandle: ~Copyable {
    /// What the server said about one step.
    enum Outcome {
        case done, rows, failed, aborted, synced, unexpected
    }

    private let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe PQclear(pointer)
    }

    var outcome: Outcome {
        switch unsafe PQresultStatus(pointer) {
        case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: .done
        case PGRES_TUPLES_OK: .rows
        case PGRES_FATAL_ERROR: .failed
        case PGRES_PIPELINE_ABORTED: .aborted
        case PGRES_PIPELINE_SYNC: .synced
        default: .unexpected
        }
    }

    /// How many rows the statement inserted, updated, deleted or returned; 0 for others.
    var affectedRows: Int {
        let digits = unsafe PQcmdTuples(pointer)
        return unsafe digits.flatMap { unsafe Int(String(cString: $0)) } ?? 0
    }

    /// Whether the server ended the session with this error.
    var isFatal: Bool {
        // "V", the severity that is never translated.
        let severity = field("V")
        return severity == "FATAL" || severity == "PANIC"
    }

    /// The server's error; a fatal one counts as a lost connection, whatever reason the server gave.
    func error(of sql: String) -> PostgresError {
        let state = field("C")
        let message = field("M") ?? "the server gave no message"
        let code = state.map { PostgresError.Code(sqlState: $0, message: message) } ?? .other
        return PostgresError(
            isFatal ? .connectionLost : code, sqlState: state, sql: sql, detail: message, constraint: field("n"))
    }

    /// Decodes every row; the number of columns must be the number of types.
    func rows<each Column: PostgresDecodable>(
        as types: (repeat each Column).Type, of sql: String
    ) throws(PostgresError) -> [(repeat each Column)] {
        var expected: Int32 = 0
        for _ in repeat (each Column).self { expected += 1 }
        let actual = unsafe PQnfields(pointer)
        guard actual == expected else {
            throw PostgresError(
                .decoding, sql: sql, detail: "\(actual) columns came, \(expected) were expected")
        }
        let count = unsafe PQntuples(pointer)
        var rows: [(repeat each Column)] = []
        rows.reserveCapacity(Int(count))
        for row in 0..<count {
            var column: Int32 = 0
            rows.append((repeat try value((each Column).self, row: row, column: &column, of: sql)))
        }
        return rows
    }

    /// Decodes one value and moves on to the next column.
    private func value<Value: PostgresDecodable>(
        _ type: Value.Type, row: Int32, column: inout Int32, of sql: String
    ) throws(PostgresError) -> Value {
        defer { column += 1 }
        do {
            if unsafe PQgetisnull(pointer, row, column) == 1 { return try Value.decodeNull() }
            let bytes = unsafe UnsafeRawBufferPointer(
                start: PQgetvalue(pointer, row, column), count: Int(PQgetlength(pointer, row, column)))
            return try Value.decode(unsafe bytes.bytes, type: unsafe PQftype(pointer, column))
        } catch {
            let name = unsafe PQfname(pointer, column).map { unsafe String(cString: $0) } ?? ""
            throw PostgresError(
                error.code, sql: sql, detail: "column \(name), row \(row): \(error.detail)")
        }
    }

    /// A field of the error report, by its letter; `PQresultErrorField`.
    private func field(_ letter: Unicode.Scalar) -> String? {
        unsafe PQresultErrorField(pointer, Int32(letter.value)).map { unsafe String(cString: $0) }
    }
}
