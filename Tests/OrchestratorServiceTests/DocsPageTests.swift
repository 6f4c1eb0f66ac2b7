import ContractDocuments
import Crypto
import Foundation
import HTTPTypes
import Hummingbird
import Testing

@testable import OrchestratorService
@testable import WebAPI

/// The service's description of itself.
struct `The page of routes` {
    private static func get(_ path: String) async throws -> RoutedAnswer {
        let router = Router()
        DocumentRoutes().add(to: router)
        return try await router.ask(.get, path)
    }

    @Test func `shows every operation and every schema`() async throws {
        let html = try await Self.get("/docs").text
        let document = try ContractDocument.openapi.get()
        let operations = (document["paths"]?.members ?? []).flatMap { $0.value.members.map(\.value) }
        #expect(operations.count > 25)
        for operation in operations {
            let id = try #require(operation["operationId"]?.text)
            #expect(html.contains(#"<h3 id="\#(id)">"#) && html.contains(##"href="#\##(id)""##), "\(id)")
        }
        for schema in document[["components", "schemas"]]?.members ?? [] {
            #expect(html.contains(#"<h3 id="schema-\#(schema.name)">"#), "\(schema.name)")
        }
        for link in html.matches(of: ##/href="#([^"]+)"/##) {
            #expect(html.contains(#"id="\#(link.1)""#), "\(link.1)")
        }
    }

    @Test func `loads nothing, and its policy allows its own style alone`() async throws {
        let answer = try await Self.get("/docs")
        let html = answer.text
        for word in ["<script", "<link", "<img", "src=", "@import", "url(", "style=\""] {
            #expect(!html.contains(word), "\(word)")
        }
        let style = try #require(html.firstMatch(of: #/(?s)<style>(.*)</style>/#)?.1)
        let hash = Data(SHA256.hash(data: Data(style.utf8))).base64EncodedString()
        let policy = try #require(answer.headers[.contentSecurityPolicy])
        #expect(policy.hasPrefix("default-src 'none'; style-src 'sha256-\(hash)';"))
        #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
    }

    @Test func `stands beside both documents for programs`() async throws {
        let openapi = try await Self.get("/openapi.json")
        #expect(openapi.headers[.contentType] == "application/json")
        #expect(openapi.text == (try ContractDocument.openapi.get()).json)
        #expect(try await Self.get("/asyncapi.json").text == (try ContractDocument.asyncapi.get()).json)
    }

    @Test func `lets no text be taken for markup`() {
        #expect(HTML.inline(#"<b> & "`x<y`""#) == "&lt;b&gt; &amp; &quot;<code>x&lt;y</code>&quot;")
    }
}
