import Curl
import Foundation
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

    private let client: CurlClient

    init() {
        var configuration = CurlConfiguration()
        configuration.transferLimit = 1_024
        configuration.transferLimitPerOrigin = 512
        configuration.keptFor = .seconds(2)
        client = CurlClient(configuration)
    }

    func call(
        _ method: String, _ url: String, body: Data? = nil, headers: [String: String] = [:],
        within limit: Duration = .seconds(10)
    ) async throws -> Answer {
        var request = CurlRequest(method, url, body: body)
        request.timeout = limit
        request.connectTimeout = .seconds(3)
        request.bodyLimit = 64 << 20
        if body != nil { request.headers["Content-Type"] = "application/json" }
        for (name, value) in headers { request.headers[name] = value }
        let response = try await client.send(request)
        return Answer(status: response.status, body: response.body)
    }

    /// The status of a GET; nil when nobody answers in two seconds.
    func status(_ url: String) async -> Int? {
        do { return try await call("GET", url, within: .seconds(2)).status } catch { return nil }
    }

    func close() async { await client.close() }
}
