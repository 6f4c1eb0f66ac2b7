import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOEmbedded

/// What a router answers to a request that came over no network.
struct RoutedAnswer: Sendable {
    let status: HTTPResponse.Status
    let headers: HTTPFields
    let body: Data

    var text: String { String(decoding: body, as: UTF8.self) }
}

extension Router where Context: InitializableFromSource<ApplicationRequestContextSource> {
    /// Answers a request without a body.
    func ask(_ method: HTTPRequest.Method, _ path: String, _ headers: HTTPFields = [:]) async throws -> RoutedAnswer {
        let head = HTTPRequest(
            method: method, scheme: "http", authority: "localhost", path: path, headerFields: headers)
        let source = ApplicationRequestContextSource(
            channel: NIOAsyncTestingChannel(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let response = try await buildResponder().respond(
            to: Request(head: head, body: RequestBody(buffer: ByteBuffer())), context: Context(source: source))
        var body = Data()
        try await response.body.write(BodyReader { body.append($0) })
        return RoutedAnswer(status: response.status, headers: response.headers, body: body)
    }
}

/// Takes a body as it is written.
private struct BodyReader: ResponseBodyWriter {
    let take: (Data) -> Void

    mutating func write(_ buffer: ByteBuffer) async throws { take(Data(buffer.readableBytesView)) }

    consuming func finish(_ trailers: HTTPFields?) async throws {}
}
