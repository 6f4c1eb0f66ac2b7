import Contracts
import HTTPTypes
import Hummingbird

/// Refuses requests that a page of another site made a browser send, by what the browser says of them.
///
/// A form needs no consent of ours to be sent here, and its types are the ones that a page may send unasked. Programs say
/// nothing of sites and are not concerned.
package struct CrossSiteMiddleware<Context: RequestContext>: RouterMiddleware {
    private static var safeMethods: Set<HTTPRequest.Method> { [.get, .head, .options] }
    private static var formTypes: Set<String> {
        ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]
    }

    package init() {}

    @concurrent
    package func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        if !Self.safeMethods.contains(request.method) { try Self.check(request) }
        return try await next(request, context)
    }

    private static func check(_ request: Request) throws(Problem) {
        guard isOwn(request) else {
            throw Problem(.crossSite, "pages of other sites may not change anything here")
        }
        let type = request.headers[.contentType]?.prefix { $0 != ";" }.lowercased()
        if let type, formTypes.contains(type.trimmingSuffix(while: \.isWhitespace)) {
            throw Problem(.unsupportedMediaType, "forms are not taken; the body must be application/json")
        }
    }

    /// `Sec-Fetch-Site` where the browser knows it, else `Origin` against the host that was asked.
    private static func isOwn(_ request: Request) -> Bool {
        if let site = HTTPField.Name("Sec-Fetch-Site").flatMap({ request.headers[$0] }) {
            return site == "same-origin" || site == "none"
        }
        guard let origin = request.headers[.origin], let host = request.head.authority else { return true }
        return origin.lowercased().split(separator: "://").last.map { $0 == host.lowercased() } ?? false
    }
}

extension StringProtocol {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> String {
        String(String(reversed().drop(while: isTrimmed)).reversed())
    }
}
