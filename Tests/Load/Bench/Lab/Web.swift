import Curl
import Foundation
import TestKit

/// Single HTTP requests, for all that is not measured.
enum Web {
    struct Answer: Sendable {
        let status: Int
        let body: Data
    }

    static func call(
        _ method: String, _ url: String, json: String? = nil, within limit: Duration = .seconds(30)
    ) async throws -> Answer {
        var request = CurlRequest(method, url, body: json.map { Data($0.utf8) })
        request.timeout = limit
        request.bodyLimit = 16 << 20
        if json != nil { request.headers["Content-Type"] = "application/json" }
        let response = try await CurlClient.ofTests.send(request)
        return Answer(status: response.status, body: response.body)
    }

    /// The status of a GET; nil when nobody answers in two seconds.
    static func status(_ url: String) async -> Int? {
        do { return try await call("GET", url, within: .seconds(2)).status } catch { return nil }
    }
}
