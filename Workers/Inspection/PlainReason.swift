import AsyncHTTPClient
import Connections
import NIOCore
import NIOPosix

/// Why a connection could not be made, used or served, in the operating system's words and without the library's.
package func plainReason(of error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
        error.connectionErrors.first.map { plainReason(of: $0.error) } ?? "there is no such host"
    case let error as IOError: systemWords(error.errnoCode)
    case let error as HTTPClientError: words(for: error)
    default: "\(error)"
    }
}

private func words(for error: HTTPClientError) -> String {
    switch error {
    case .connectTimeout, .deadlineExceeded, .readTimeout: "no answer in time"
    case .remoteConnectionClosed: "the connection was closed without an answer"
    case .invalidURL, .emptyHost, .emptyScheme: "the address is no http:// URL"
    default: error.shortDescription.lowercased()
    }
}
