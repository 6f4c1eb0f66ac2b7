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

    /// What is wrong, for people; programs look at `code`.
    package var description: String {
        switch code {
        case .connectionLost: "Redis cannot be reached (\(detail))"
        case .timedOut: "Redis did not answer in time (\(detail))"
        case .unavailable: "Redis failed lately, and is not asked for a moment"
        case .serverError(let words): "Redis refuses: \(words)"
        case .protocolViolation: "Redis does not speak its protocol (\(detail))"
        case .invalidURL: detail
        case .closed: "the connection to Redis is closed"
        }
    }
}
