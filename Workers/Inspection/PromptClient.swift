import AsyncHTTPClient
import NIOCore

extension HTTPClient {
    /// A client for whoever waits at a screen: a refused connection is an answer and not tried again.
    package static let prompt = HTTPClient(
        eventLoopGroupProvider: .singleton, configuration: .prompt)
}

extension HTTPClient.Configuration {
    fileprivate static var prompt: HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(timeout: .init(connect: .seconds(2)))
        configuration.connectionPool.retryConnectionEstablishment = false
        return configuration
    }
}
