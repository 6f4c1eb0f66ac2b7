import CPostgres
import Logging

/// Writes the server's notices to the log at debug level; libpq calls it on the connection's own thread.
final class NoticeLog {
    private let logger: Logger

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// Registers itself with a connection, which it must outlive.
    ///
    /// `PQsetNoticeReceiver`.
    func listen(to connection: OpaquePointer) {
        let me = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe PQsetNoticeReceiver(
            connection,
            { context, result in
                guard let context = unsafe context, let result = unsafe result else { return }
                unsafe Unmanaged<NoticeLog>.fromOpaque(context).takeUnretainedValue().write(result)
            }, me)
    }

    private func write(_ result: OpaquePointer) {
        let message = unsafe PQresultErrorMessage(result).map { unsafe String(cString: $0) } ?? ""
        logger.debug("postgres notice", metadata: ["notice": "\(message)"])
    }
}
