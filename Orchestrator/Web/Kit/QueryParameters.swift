import ContractDocuments
import Contracts
import Hummingbird

/// Refuses a query with a parameter that the route does not take, one that comes twice or one that cannot be read.
///
/// What is ignored changes the meaning of a request without a word: a mistyped filter would list everything.
package struct QueryParametersMiddleware<Context: RequestContext>: RouterMiddleware {
    private let table: QueryParameterTable

    package init(table: QueryParameterTable) {
        self.table = table
    }

    @concurrent
    package func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        if let query = request.uri.query, !query.isEmpty, let path = context.endpointPath,
            let names = table.names(of: request.method.rawValue, path)
        {
            try Self.check(query, names)
        }
        return try await next(request, context)
    }

    private static func check(_ query: String, _ names: [String]) throws(Problem) {
        var inspection = Inspection()
        var seen: Set<String> = []
        for piece in query.split(separator: "&") where !inspection.isFull {
            let parts = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(parts[0]) else {
                inspection.note("?", "the name of a parameter is not well encoded")
                continue
            }
            let place = "?\(name.prefix(Limits.identifierLength))"
            if !names.contains(name) {
                let choice = names.isEmpty ? "it takes none" : "it takes \(names.joined(separator: ", "))"
                inspection.note(place, "is no parameter of this route; \(choice)")
            } else if !seen.insert(name).inserted {
                inspection.note(place, "must not come twice")
            } else if parts.count == 2, decoded(parts[1]) == nil {
                inspection.note(place, "is not well encoded: percent signs stand before two digits, text is UTF-8")
            }
        }
        try inspection.finish()
    }

    /// Percent-encoded UTF-8 (RFC 3986); nil for what is none.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
            guard digits.count == 2 else { return nil }
            bytes.append(UInt8(digits[0] * 16 + digits[1]))
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// Which query parameters each route takes, by the contract.
package struct QueryParameterTable: Sendable {
    private let names: [String: [String]]

    package init(_ openapi: Document) {
        var names: [String: [String]] = [:]
        for path in openapi["paths"]?.members ?? [] {
            for operation in path.value.members {
                let parameters = (operation.value["parameters"]?.items ?? []).map { Self.resolved($0, in: openapi) }
                names[Self.key(operation.name, path.name)] = parameters.filter { $0["in"]?.text == "query" }
                    .compactMap { $0["name"]?.text }
            }
        }
        self.names = names
    }

    /// Nil for a route that the contract does not name; whoever takes GET takes HEAD.
    package func names(of method: String, _ path: String) -> [String]? {
        names[Self.key(method == "HEAD" ? "GET" : method, path)]
    }

    /// What a route calls the parts of its path is its own affair.
    private static func key(_ method: String, _ path: String) -> String {
        let parts = path.split(separator: "/").map { $0.hasPrefix("{") || $0.hasPrefix(":") ? "{}" : $0 }
        return "\(method.uppercased()) /\(parts.joined(separator: "/"))"
    }

    private static func resolved(_ value: Document, in document: Document) -> Document {
        guard let target = value["$ref"]?.text else { return value }
        return document[target.split(separator: "/").dropFirst().map(String.init)] ?? value
    }
}
