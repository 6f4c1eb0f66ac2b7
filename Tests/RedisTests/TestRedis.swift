import Connections
import Foundation
import Logging
import Redis
import Testing

/// The server that the integration tests run on; without `REDIS_URL` they are skipped.
enum TestRedis {
    static let url = ProcessInfo.processInfo.environment["REDIS_URL"] ?? ""
    static var isThere: Bool { !url.isEmpty }

    static func client(
        url: String = url, timeout: Duration = .seconds(1), pause: Duration = .milliseconds(200)
    ) throws -> RedisClient {
        ignoreBrokenPipes()
        var configuration = try RedisConfiguration(url: url)
        configuration.timeout = timeout
        configuration.breakerPause = pause
        return RedisClient(configuration, logger: Logger(label: "test"))
    }

    /// A key that nobody else uses.
    static func key() -> String { "test:\(UUID())" }

    /// The error that the body throws; the test fails if it throws none or another kind.
    static func code(
        sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
    ) async throws -> RedisError.Code {
        try await #require(throws: RedisError.self, sourceLocation: sourceLocation) { try await body() }.code
    }

    /// Makes one call wait longer than its client does, without holding up anybody else.
    static func stall(_ client: RedisClient) async throws -> RedisError.Code {
        try await code { _ = try await client.pipeline([["BLPOP", key(), "0.3"]]) }
    }
}
