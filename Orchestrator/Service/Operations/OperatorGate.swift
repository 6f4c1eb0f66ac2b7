import Contracts
import Crypto
import FleetRuntime
import FoundationEssentials
import HTTPTypes
import Hummingbird

/// Lets only those in who show an operator key, as `Authorization: Bearer KEY`.
///
/// Digests of equal length are compared, every key each time, so the time an answer takes tells nothing of a key.
struct OperatorGate<Context: RequestContext>: RouterMiddleware {
    let keys: OperatorKeys

    @concurrent
    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard keys.name(of: request) != nil else {
            var response = Response.problem(
                Problem(.operatorKeyRequired, "send an operator key as Authorization: Bearer KEY"))
            response.headers[.wwwAuthenticate] = "Bearer"
            return response
        }
        return try await next(request, context)
    }
}

/// Finds out whose key a request carries.
struct OperatorKeys: Sendable {
    private let digests: [(name: String, digest: SHA256Digest)]

    init(_ keys: [OperatorKey]) {
        digests = keys.map { ($0.name, SHA256.hash(data: Data($0.secret.utf8))) }
    }

    func name(of request: Request) -> String? {
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer ") else { return nil }
        let shown = SHA256.hash(data: Data(header.dropFirst("Bearer ".count).utf8))
        var found: String?
        for (name, digest) in digests where digest == shown { found = name }
        return found
    }
}
