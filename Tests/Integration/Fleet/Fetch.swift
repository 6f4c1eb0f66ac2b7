import Curl
import Foundation
import TestKit

/// Asks any address.
func fetch(_ url: String, headers: [String: String] = [:]) async throws -> Answer {
    try await send("GET", url, headers: headers)
}

/// Calls any address; a body is JSON unless the headers say something else.
func send(
    _ method: String, _ url: String, body: Data? = nil, headers: [String: String] = [:]
) async throws -> Answer {
    var request = CurlRequest(method, url, body: body)
    request.timeout = .seconds(60)
    request.bodyLimit = 16 << 20
    if body != nil { request.headers["Content-Type"] = "application/json" }
    for (name, value) in headers { request.headers[name] = value }
    let response = try await CurlClient.ofTests.send(request)
    let pairs = response.headers.fields.map { ($0.name.lowercased(), $0.value) }
    return Answer(status: response.status, headers: Dictionary(pairs) { first, _ in first }, body: response.body)
}
