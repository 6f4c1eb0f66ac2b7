import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import TestKit

/// HTTP as the suite uses it.
struct Web: Sendable {
    struct Answer: Sendable {
        let status: Int
        let body: Data

        var json: [String: Any] {
            get throws { try JSONSerialization.jsonObject(with: body) as? [String: Any] ?? [:] }
        }

        func text(_ field: String) -> String? {
            do { return try json[field] as? String } catch { return nil }
        }
    }

    private let client: HTTPClient

    init() {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 512
        configuration.connectionPool.idleTimeout = .seconds(2)
        configuration.timeout.connect = .seconds(3)
        client = HTTPClient(configuration: configuration)
    }

    func call(
        _ method: String, _ url: String, body: Data? = nil, headers: [String: String] = [:],
        within limit: Duration = .seconds(10)
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url)
        request.method = .init(rawValue: method)
        if let body {
            request.headers.replaceOrAdd(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(data: body))
        }
        for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
        let response = try await client.execute(
            request, timeout: .milliseconds(Int64(limit.inSeconds * 1_000)))
        return Answer(
            status: Int(response.status.code), body: Data(buffer: try await response.body.collect(upTo: 64 << 20)))
    }

    /// The status of a GET; nil when nobody answers in two seconds.
    func status(_ url: String) async -> Int? {
        do { return try await call("GET", url, within: .seconds(2)).status } catch { return nil }
    }

    func close() async throws { try await client.shutdown() }
}
