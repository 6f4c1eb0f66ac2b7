import FoundationEssentials

/// A request and how much time and memory its answer may cost.
///
/// Limits of time must be positive; more than 24 days count as 24.
package struct CurlRequest: Sendable {
    /// Any token but `CONNECT`.
    package var method: String
    /// Absolute, `http` or `https`, percent-encoded, without user and password; its path is sent as it stands.
    package var url: String
    /// Sent besides `Host` and `Content-Length`; nothing else is added.
    ///
    /// Fields that say where a message ends or what becomes of the connection belong to the client and are refused.
    package var headers: CurlHeaders
    /// Nil sends none; `POST`, `PUT` and `PATCH` then say that they have none.
    package var body: Data?

    /// The longest time for the whole call: waiting for its turn, redirects and reading the body included.
    package var timeout: Duration = .seconds(30)
    /// The longest time for resolving the name, connecting and TLS.
    package var connectTimeout: Duration = .seconds(10)
    /// The longest time without a byte of the answer; nil for no limit but `timeout`.
    ///
    /// It counts from when the request is sent, and not while a reader keeps the answer waiting.
    package var silence: Duration?
    /// The largest head, in bytes: interim answers and trailers count as well.
    package var headLimit = 64 << 10
    /// The largest body, in bytes, decompressed if it is; beyond it the call fails.
    package var bodyLimit = 1 << 20

    /// How many redirects are followed, of `GET` and `HEAD` only; others are the answer.
    package var redirectLimit = 0
    /// Where to connect instead of resolving the host's name; certificate and `Host` stay the URL's.
    package var address: IPAddress?
    /// Asks for gzip or deflate and decompresses the body.
    package var decompresses = false
    /// Whether it may be sent once more when a kept connection ends without a byte of an answer.
    ///
    /// Nil means: if the method is idempotent.
    package var isRepeatable: Bool?

    package init(_ method: String = "GET", _ url: String, headers: CurlHeaders = CurlHeaders(), body: Data? = nil) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }
}

extension CurlRequest {
    var mayRepeat: Bool {
        isRepeatable ?? ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"].contains(method)
    }

    /// Whether the method means a body, so that a missing one is said to be empty.
    var impliesBody: Bool { ["POST", "PUT", "PATCH"].contains(method) }
}
