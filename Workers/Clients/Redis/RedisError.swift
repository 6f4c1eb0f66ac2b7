/// Says why the cache gave no answer; what to do without one is the caller's business.
package struct RedisError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Hashable {
        /// The link could not be made or broke; the commands may or may not have been run.
        case connectionLost
        /// No answer came in time and the link was dropped; the commands may or may not have been run.
        case timedOut
        /// The breaker is open, so nothing was tried.
        case unavailable
        /// The server refused to let us in, in its own words.
        case serverError(String)
        /// What came is not Redis's protocol.
        case protocolViolation
        case invalidURL
        case closed
    }

    package let code: Code
    package let detail: String

    package init(_ code: Code, detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { "redis \(code): \(detail)" }
}
