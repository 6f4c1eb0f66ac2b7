/// Why a call over HTTP has no answer, and whether it may be made again.
package struct CurlError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// The request or the configuration cannot be used, whatever the server says.
        case invalidRequest
        /// The configuration does not allow a connection to any of the host's addresses.
        case addressRefused
        case couldNotResolve
        case couldNotConnect
        /// The server's certificate is expired, for another host, or signed by nobody who is trusted.
        case certificateRefused
        /// No TLS connection came about for another reason.
        case tlsFailed
        /// A limit of time was reached: connecting, silence or the whole call.
        case timedOut
        /// The connection ended before the answer was complete.
        case connectionReset
        /// What came is not HTTP.
        case protocolViolation
        /// The head or the body of the answer is larger than was allowed.
        case tooLarge
        /// A redirect leads where the request must not go, or there were too many of them.
        case redirectRefused
        /// So many calls are waiting for their turn that this one was not let in.
        case overloaded
        /// The task that made the call was cancelled.
        case cancelled
        /// The client was closed.
        case closed
        /// Memory or descriptors ran out, or the library failed in a way of its own.
        case failed
    }

    package let code: Code
    /// The method and the origin; path and query may hold secrets and are left out.
    package let operation: String
    /// The server's or the library's own words.
    package let detail: String
    /// Whether the server may have got the request, or a part of it; false only if it certainly has not.
    ///
    /// - Important: Repeat a request that moves money only if this is false or an idempotency key goes with it.
    package let mayHaveBeenSent: Bool

    package init(_ code: Code, during operation: String, _ detail: String, mayHaveBeenSent: Bool) {
        self.code = code
        self.operation = operation
        self.detail = detail
        self.mayHaveBeenSent = mayHaveBeenSent
    }

    /// Whether the same call may succeed later without anybody changing anything.
    package var isTransient: Bool {
        switch code {
        case .couldNotResolve, .couldNotConnect, .tlsFailed, .timedOut, .connectionReset, .protocolViolation,
            .overloaded, .failed:
            true
        case .invalidRequest, .addressRefused, .certificateRefused, .tooLarge, .redirectRefused, .cancelled, .closed:
            false
        }
    }

    package var description: String {
        "\(operation): \(code): \(detail)\(mayHaveBeenSent ? "" : " (the request was not sent)")"
    }
}
