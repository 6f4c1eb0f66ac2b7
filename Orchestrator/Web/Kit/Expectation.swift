import Contracts
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Answers `Expect: 100-continue` as RFC 9110 says in 10.1.1.
///
/// With 100 when a route begins to read the body, else with its last word alone. Any other expectation is refused.
package struct ExpectationMiddleware: RouterMiddleware {

    package init() {}

    @concurrent
    package func handle(
        _ request: Request, context: FleetContext, next: @concurrent (Request, FleetContext) async throws -> Response
    ) async throws -> Response {
        guard let expectation = request.headers[.expect] else { return try await next(request, context) }
        guard expectation.lowercased() == "100-continue" else {
            return .problem(Problem(.expectationFailed, "the only expectation that is met is 100-continue"))
        }
        let expected = ExpectedBody(of: request.body, context)
        var request = request
        request.body = RequestBody(asyncSequence: expected)
        var response = try await next(request, context)
        // A client that was told no more than the last word may send the body all the same, or not.
        if !expected.isAskedFor { response.headers[.connection] = "close" }
        return response
    }
}

/// A body that its client sends only when it is asked for.
private struct ExpectedBody: AsyncSequence, Sendable {
    private final class Asked: Sendable {
        let flag = Atomic(false)
    }

    private let body: RequestBody
    private let context: FleetContext
    private let asked = Asked()

    init(of body: RequestBody, _ context: FleetContext) {
        self.body = body
        self.context = context
    }

    var isAskedFor: Bool { asked.flag.load(ordering: .acquiring) }

    func makeAsyncIterator() -> Iterator { Iterator(source: self, body: body.makeAsyncIterator()) }

    struct Iterator: AsyncIteratorProtocol {
        fileprivate let source: ExpectedBody
        var body: RequestBody.AsyncIterator

        @concurrent
        mutating func next() async throws -> ByteBuffer? {
            if !source.asked.flag.exchange(true, ordering: .acquiringAndReleasing) {
                try await source.context.sayContinue()
            }
            return try await body.next()
        }
    }
}
