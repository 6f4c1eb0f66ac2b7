import Curl
import Foundation
import Testing

/// What a client promises; one test at a time, for they watch the clock.
@Suite(.serialized) struct `A client for HTTP` {}

/// Lends a client and closes it however that ends.
func withClient<R>(
    _ change: (inout CurlConfiguration) -> Void = { _ in }, _ body: (CurlClient) async throws -> R
) async throws -> R {
    var configuration = CurlConfiguration()
    change(&configuration)
    let client = CurlClient(configuration)
    do {
        let result = try await body(client)
        await client.close()
        return result
    } catch {
        await client.close()
        throw error
    }
}

/// The error of a call that must fail.
func failure(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws -> CurlError {
    try await #require(throws: CurlError.self, sourceLocation: sourceLocation) { try await body() }
}

extension CurlRequest {
    /// A request with some of its limits set.
    static func get(_ url: String, _ change: (inout CurlRequest) -> Void = { _ in }) -> CurlRequest {
        var request = CurlRequest("GET", url)
        request.timeout = .seconds(20)
        change(&request)
        return request
    }

    static func post(_ url: String, _ body: String, _ change: (inout CurlRequest) -> Void = { _ in }) -> CurlRequest {
        var request = CurlRequest("POST", url, body: Data(body.utf8))
        request.timeout = .seconds(20)
        change(&request)
        return request
    }
}

extension CurlResponse {
    var text: String { String(decoding: body, as: UTF8.self) }
}

let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
