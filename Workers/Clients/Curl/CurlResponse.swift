import FoundationEssentials

/// The head of an answer.
package struct CurlHead: Sendable, Equatable {
    /// How an answer came.
    package enum Version: Sendable, Equatable { case http1, http2 }

    /// 200 or more: interim answers are not told.
    package let status: Int
    package let headers: CurlHeaders
    package let version: Version
    /// Whether it came over a connection that an earlier call had made.
    package let isReused: Bool
}

/// A whole answer, whatever its status.
package struct CurlResponse: Sendable, Equatable {
    package let head: CurlHead
    /// At most as many bytes as the request allows.
    package let body: Data

    package var status: Int { head.status }
    package var headers: CurlHeaders { head.headers }
}
