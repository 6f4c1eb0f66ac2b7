import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import NIOFoundationEssentialsCompat
import Testing
import WireJSON

@testable import OrchestratorService
@testable import WebKit

/// What a path says to a method that it does not take.
struct `A method` {
    private static func ask(_ method: HTTPRequest.Method, _ path: String) async throws -> RoutedAnswer {
        func add(to router: Router<BasicRequestContext>) {
            router.get("things") { _, _ in "all" }
            router.post("things") { _, _ in "new" }
            router.get("things/:id") { _, _ in "one" }
            router.post("things/:id/end") { _, _ -> String in throw HTTPError(.notFound) }
        }
        let bare = Router()
        add(to: bare)
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: AllowedMethodsMiddleware(table: MethodTable(of: bare)))
        add(to: router)
        return try await router.ask(method, path)
    }

    @Test(arguments: [
        (HTTPRequest.Method.delete, "/things", "GET, HEAD, POST"), (.put, "/things/7", "GET, HEAD"),
        (.trace, "/things/7?x=1", "GET, HEAD"), (.get, "/things/7/end", "POST"),
        (.options, "/things/", "GET, HEAD, POST"),
    ])
    func `that a path does not take is answered with those it takes`(
        method: HTTPRequest.Method, path: String, allowed: String
    ) async throws {
        let answer = try await Self.ask(method, path)
        #expect(answer.status == .methodNotAllowed)
        #expect(answer.headers[.allow] == allowed)
        #expect(answer.headers[.contentType] == "application/problem+json")
        #expect(try WireFormat.decode(Problem.self, from: answer.body).code == .methodNotAllowed)
    }

    @Test(arguments: ["/", "/thing", "/things/7/8", "/things/7/end/now"])
    func `on a path that is none is answered with not found`(path: String) async throws {
        #expect(try await Self.ask(.delete, path).status == .notFound)
    }

    @Test func `that the path takes is not refused when its route finds nothing`() async throws {
        #expect(try await Self.ask(.post, "/things/7/end").status == .notFound)
        #expect(try await Self.ask(.head, "/things/7").status == .ok)
    }
}
