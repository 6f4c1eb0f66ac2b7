import ContractDocuments
import Contracts
import Crypto
import FoundationEssentials
import HTTPTypes
import Hosting
import Hummingbird

/// The routes by which the service describes itself: the contract for programs, and the routes for people.
struct DocumentRoutes: Sendable {
    func add(to router: Router<some RequestContext>) {
        router.get("openapi.json") { _, _ in try Self.json(Self.openapi.get()) }
        router.get("asyncapi.json") { _, _ in try Self.json(Self.asyncapi.get()) }
        router.get("docs") { _, _ in Self.html(try Self.page.get()) }
        router.get("problems") { _, _ in Self.html(ProblemPage(style: Self.style).index) }
        router.get("problems/:code") { _, context in
            guard let code = context.parameters.get("code").flatMap({ Problem.Code(rawValue: $0) }) else {
                throw Problem(.notFound, "there is no such problem; /problems lists all")
            }
            return Self.html(ProblemPage(style: Self.style).page(of: code))
        }
    }

    private static let openapi = ContractDocument.openapi.map(\.json)
    private static let asyncapi = ContractDocument.asyncapi.map(\.json)
    private static let page = ContractDocument.openapi.map { DocsPage(of: $0, style: style).html }
    private static let style = String(decoding: PackageResources.docs_css, as: UTF8.self)

    private static func json(_ body: String) -> Response {
        var response = Response.json(.ok, body)
        response.headers[.cacheControl] = "no-cache"
        return response
    }

    /// The page may load nothing at all; of styles only its own counts, by its hash.
    private static func html(_ body: String) -> Response {
        let hash = Data(SHA256.hash(data: Data(style.utf8))).base64EncodedString()
        var response = Response(status: .ok, body: .init(byteBuffer: ByteBuffer(string: body)))
        response.headers[.contentType] = "text/html; charset=utf-8"
        response.headers[.cacheControl] = "no-cache"
        response.headers[.contentSecurityPolicy] =
            "default-src 'none'; style-src 'sha256-\(hash)'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        response.headers[.xContentTypeOptions] = "nosniff"
        return response
    }
}
