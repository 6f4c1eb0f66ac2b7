import Connections
import Curl
import NIOCore

/// Why a server could not be reached, or could not serve, in the operating system's words and without the library's.
package func plainReason(of error: any Error) -> String {
    switch error {
    case let error as IOError: systemWords(error.errnoCode)
    case let error as CurlError: words(for: error)
    default: "\(error)"
    }
}

private func words(for error: CurlError) -> String {
    switch error.code {
    case .couldNotResolve: "there is no such host"
    case .timedOut: "no answer in time"
    case .connectionReset: "the connection was closed without a whole answer"
    default: error.detail
    }
}
