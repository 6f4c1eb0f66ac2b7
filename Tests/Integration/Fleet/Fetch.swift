import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1

/// Asks any address.
func fetch(_ url: String, headers: [String: String] = [:]) async throws -> Answer {
    var request = HTTPClientRequest(url: url)
    for (name, value) in headers { request.headers.replaceOrAdd(name: name, value: value) }
    return try await send(request)
}

func send(_ request: HTTPClientRequest) async throws -> Answer {
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
    let data = Data(buffer: try await response.body.collect(upTo: 16 << 20))
    let pairs = response.headers.map { ($0.name.lowercased(), $0.value) }
    return Answer(status: Int(response.status.code), headers: Dictionary(pairs) { first, _ in first }, body: data)
}
