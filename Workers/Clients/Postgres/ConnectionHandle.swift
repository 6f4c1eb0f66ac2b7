import CPostgres
import Connections
import Glibc
import Logging

/// The only owner of a `PGconn`; letting it go closes the socket.
///
/// Every wait is a `poll(2)` with a deadline, by the thread.
@safe struct ConnectionHandle: ~Copyable {
    private let connection: OpaquePointer
    private let thread: ConnectionThread
    private let notices: NoticeLog

    /// Connects, trying the URL's hosts in order.
    ///
    /// The one blocking call, on the connection's own thread: only so does libpq keep `connect_timeout` for each host
    /// and go on to the next. `PQconnectdbParams`.
    static func open(
        _ configuration: PostgresConfiguration, on thread: ConnectionThread, logger: Logger
    ) throws(PostgresError) -> ConnectionHandle {
        guard ConnectionHandle.isReadable(configuration.url.text) else {
            // libpq would quote the URL, password and all.
            throw PostgresError(.other, operation: "connect", detail: "the database URL cannot be read")
        }
        let connected = unsafe ConnectionHandle.withCStrings(configuration.keywords.map(\.name)) { names in
            unsafe ConnectionHandle.withCStrings(configuration.keywords.map(\.value)) { values in
                unsafe PQconnectdbParams(names, values, 1)
            }
        }
        guard let connected = unsafe connected else {
            throw PostgresError(.connectFailed, operation: "connect", detail: "libpq has no memory")
        }
        let link = unsafe ConnectionHandle(connected, thread, notices: NoticeLog(logger))
        guard link.isReady() else { throw link.lost(.connectFailed, "connect") }
        return link
    }

    private init(_ connection: OpaquePointer, _ thread: ConnectionThread, notices: NoticeLog) {
        unsafe self.connection = unsafe connection
        self.thread = thread
        self.notices = notices
    }

    deinit {
        unsafe PQfinish(connection)
    }

    /// Whether the connection was made; then prepares it for batches that never block.
    private func isReady() -> Bool {
        guard unsafe PQstatus(connection) == CONNECTION_OK else { return false }
        unsafe notices.listen(to: connection)
        return unsafe PQsetnonblocking(connection, 1) == 0 && PQenterPipelineMode(connection) == 1
    }

    /// Whether the server is between transactions, inside one, or inside one that has failed.
    var transaction: PGTransactionStatusType {
        unsafe PQtransactionStatus(connection)
    }

    func cancelTicket() -> CancelTicket? {
        unsafe CancelTicket(PQgetCancel(connection))
    }

    /// Whether the link still stands; reads, without waiting, what came while nobody asked anything.
    func isAlive() -> Bool {
        var entry = pollfd(fd: unsafe PQsocket(connection), events: Int16(POLLIN), revents: 0)
        while unsafe poll(&entry, 1, 0) > 0 {
            guard unsafe PQconsumeInput(connection) == 1, unsafe PQstatus(connection) == CONNECTION_OK else {
                return false
            }
            _ = unsafe PQisBusy(connection)
        }
        return unsafe PQstatus(connection) == CONNECTION_OK
    }

    /// Queues a Parse.
    func sendPreparation(of sql: String, as name: String, oids: [UInt32]) throws(PostgresError) {
        guard unsafe PQsendPrepare(connection, name, sql, Int32(oids.count), oids) == 1 else {
            throw lost(.connectionLost, sql)
        }
    }

    /// Queues a Bind and an Execute with binary parameters and results.
    func sendExecution(of name: String, with parameters: Parameters, for sql: String) throws(PostgresError) {
        let count = Int32(parameters.oids.count)
        let sent = unsafe parameters.withPointers { values, lengths, formats in
            unsafe PQsendQueryPrepared(connection, name, count, values, lengths, formats, 1)
        }
        guard sent == 1 else { throw lost(.connectionLost, sql) }
    }

    /// Ends the batch: what fails before it takes everything up to here with it.
    func sendSync() throws(PostgresError) {
        guard unsafe PQpipelineSync(connection) == 1 else { throw lost(.connectionLost, "sync") }
    }

    /// Leaves the pipeline to send several statements as one text; `finishScript` goes back.
    func sendScript(_ sql: String) throws(PostgresError) {
        guard unsafe PQexitPipelineMode(connection) == 1, unsafe PQsendQuery(connection, sql) == 1 else {
            throw lost(.connectionLost, sql)
        }
    }

    func finishScript() throws(PostgresError) {
        guard unsafe PQenterPipelineMode(connection) == 1 else { throw lost(.connectionLost, "script") }
    }

    /// The next result, or nil where one step's results end.
    func next(until deadline: ContinuousClock.Instant, for sql: String) throws(PostgresError) -> ResultHandle? {
        while unsafe PQisBusy(connection) == 1 {
            try wait(until: deadline, for: sql)
        }
        guard let result = unsafe PQgetResult(connection) else { return nil }
        return unsafe ResultHandle(result)
    }

    /// Writes what is left to write and reads what has come; sleeps at most until the deadline.
    private func wait(until deadline: ContinuousClock.Instant, for sql: String) throws(PostgresError) {
        let unsent = unsafe PQflush(connection)
        guard unsent >= 0 else { throw lost(.connectionLost, sql) }
        let interest = unsent == 1 ? POLLIN | POLLOUT : POLLIN
        let found = thread.wait(for: interest, of: unsafe PQsocket(connection), until: deadline)
        if found == 0 {
            throw PostgresError(.timedOut, sql: sql, detail: "no answer before the client's deadline")
        }
        let isReadable = found & (POLLIN | POLLERR | POLLHUP) != 0
        if isReadable, unsafe PQconsumeInput(connection) == 0 { throw lost(.connectionLost, sql) }
    }

    /// The error for a link that does not work any more, in libpq's words.
    private func lost(_ code: PostgresError.Code, _ sql: String) -> PostgresError {
        let words = unsafe PQerrorMessage(connection).map { unsafe String(cString: $0) } ?? ""
        return PostgresError(code, sql: sql, detail: words.split(separator: "\n").joined(separator: "; "))
    }

    private static func isReadable(_ url: String) -> Bool {
        let options = unsafe PQconninfoParse(url, nil)
        unsafe PQconninfoFree(options)
        return unsafe options != nil
    }

    /// Lends a null-terminated array of C strings.
    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        let copies = unsafe strings.map { unsafe strdup($0) }
        defer { _ = unsafe copies.map { unsafe free($0) } }
        return unsafe body(copies.map { unsafe UnsafePointer($0) } + [nil])
    }
}
