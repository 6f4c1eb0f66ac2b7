import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// Single HTTP requests, for all that is not measured.
enum Web {
    struct Answer: Sendable {
        let status: Int
        let body: Data
    }

    static func call(_ method: String, _ url: String, json: String? = nil, within limit: Int64 = 30) async throws
        -> Answer
    {
        var request = HTTPClientRequest(url: url)
        request.method = .init(rawValue: method)
        if let json {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: json))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(limit))
        return Answer(
            status: Int(response.status.code), body: Data(buffer: try await response.body.collect(upTo: 16 << 20)))
    }

    /// The status of a GET; nil when nobody answers in two seconds.
    static func status(_ url: String) async -> Int? {
        do { return try await call("GET", url, within: 2).status } catch { return nil }
    }
}
