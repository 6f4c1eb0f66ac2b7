import Contracts
import HTTPTypes
import Hummingbird

/// Tells a client whose path exists, but not with its method, which methods the path takes: 405 rather than 404.
package struct AllowedMethodsMiddleware<Context: RequestContext>: RouterMiddleware {
    private let table: MethodTable

    package init(table: MethodTable) {
        self.table = table
    }

    @concurrent
    package func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError {
            let methods = error.status == .notFound ? table.methods(at: request.uri.path) : []
            guard !methods.isEmpty, !methods.contains(request.method.rawValue) else { throw error }
            let allowed = methods.joined(separator: ", ")
            var response = Response.problem(Problem(.methodNotAllowed, "this path takes \(allowed)"))
            response.headers[.allow] = allowed
            return response
        }
    }
}

/// Which methods each path of a router takes.
package struct MethodTable: Sendable {
    private struct Row: Sendable {
        /// The parts of the path; nil where anything may stand.
        let parts: [String?]
        let method: String
    }

    private let rows: [Row]

    package init(of router: Router<some RequestContext>) {
        rows = router.routes.map { route in
            let parts = route.path.description.split(separator: "/").map { part in
                part.hasPrefix("{") ? nil : String(part)
            }
            return Row(parts: parts, method: route.method.rawValue)
        }
    }

    /// In alphabetical order; whoever takes GET takes HEAD.
    package func methods(at path: String) -> [String] {
        let parts = path.split(separator: "/")
        let found = rows.filter { row in
            row.parts.count == parts.count && zip(row.parts, parts).allSatisfy { $0 == nil || $0 ?? "" == $1 }
        }
        let methods = Set(found.map(\.method))
        return (methods.contains("GET") ? methods.union(["HEAD"]) : methods).sorted()
    }
}
