import ContractDocuments
import Contracts
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOFoundationEssentialsCompat
import Testing
import WireJSON

@testable import OrchestratorService
@testable import WebAPI
@testable import WebKit

/// What is refused before a route looks at a request.
@Suite struct `A request` {
    private static func ask(
        _ method: HTTPRequest.Method, _ uri: String, _ headers: HTTPFields = [:]
    ) async throws -> RoutedAnswer {
        let router = Router(options: .autoGenerateHeadEndpoints)
        router.add(middleware: ProblemMiddleware(logger: Logger(label: "test")))
        router.add(middleware: CrossSiteMiddleware())
        router.add(
            middleware: QueryParametersMiddleware(table: QueryParameterTable(try ContractDocument.openapi.get())))
        router.get("sagas") { _, _ in "all" }
        router.get("sagas/:id") { _, _ in "one" }
        router.post("sagas/:id/cancel") { _, _ in "cancelled" }
        return try await router.ask(method, uri, headers)
    }

    private static func problem(_ answer: RoutedAnswer) throws -> Problem {
        try WireFormat.decode(Problem.self, from: answer.body)
    }

    @Test(arguments: [
        ("/sagas?user=bob", "?user"), ("/sagas?limit=1&limit=2", "?limit"), ("/sagas?userId=%zz", "?userId"),
        ("/sagas?userId=%FF", "?userId"), ("/sagas?userId=%F", "?userId"), ("/sagas?LIMIT=1", "?LIMIT"),
        ("/sagas/7?x", "?x"), ("/sagas/7?%FF=1", "?"),
    ])
    func `with a parameter that its route does not take, or cannot read, is refused with its name`(
        uri: String, pointer: String
    ) async throws {
        for method in [HTTPRequest.Method.get, .head] {
            #expect(try await Self.ask(method, uri).status == .unprocessableContent, "\(method)")
        }
        let problem = try Self.problem(try await Self.ask(.get, uri))
        #expect(problem.errors?.map(\.pointer) == [pointer])
    }

    @Test(arguments: ["/sagas?limit=1&userId=a%20b&cursor=", "/sagas?", "/sagas?&", "/sagas/7"])
    func `with parameters that its route takes goes on`(uri: String) async throws {
        #expect(try await Self.ask(.get, uri).status == .ok)
    }

    @Test func `with many wrong parameters is answered with the first alone`() async throws {
        let query = (1...2_000).map { "a\($0)" }.joined(separator: "&")
        #expect(try Self.problem(try await Self.ask(.get, "/sagas?\(query)")).errors?.count == 20)
    }

    @Test(arguments: [
        ("Sec-Fetch-Site", "cross-site", 403), ("Sec-Fetch-Site", "same-site", 403),
        ("Origin", "https://evil.example", 403),
        ("Origin", "null", 403), ("Content-Type", "application/x-www-form-urlencoded", 415),
        ("Content-Type", "multipart/form-data; boundary=x", 415), ("Content-Type", "Text/Plain ;charset=utf-8", 415),
        ("Sec-Fetch-Site", "same-origin", 200), ("Sec-Fetch-Site", "none", 200),
        ("Content-Type", "application/json", 200), ("Origin", "http://localhost", 200),
    ])
    func `that changes something comes from no other site and is no form`(
        name: String, value: String, status: Int
    ) async throws {
        let field = try #require(HTTPField.Name(name))
        #expect(try await Self.ask(.post, "/sagas/7/cancel", [field: value]).status.code == status)
        #expect(try await Self.ask(.get, "/sagas/7", [field: value]).status.code == 200)
    }
}

/// The pages that problems point at.
@Suite struct `A page for problems` {
    @Test func `is there for each code, with what it means and what helps`() {
        let page = ProblemPage(style: "")
        for code in Problem.Code.allCases {
            #expect(Problem(code, "").type == "/problems/\(code.rawValue)")
            #expect(page.page(of: code).contains(HTML.inline(code.meaning)))
            #expect(page.page(of: code).contains(HTML.inline(code.advice)))
            #expect(page.index.contains("/problems/\(code.rawValue)"))
        }
    }
}
