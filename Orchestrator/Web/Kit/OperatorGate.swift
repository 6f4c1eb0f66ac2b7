import Contracts
import CoreMetrics
import Crypto
import FoundationEssentials
import HTTPTypes
import Hosting
import Hummingbird
import Logging

/// Lets only those in who show an operator key, as `Authorization: Bearer KEY`.
///
/// Digests of equal length are compared, every key each time, so the time an answer takes tells nothing of a key. Wrong
/// keys are logged, without the key; an address that shows too many is told to wait. A right key is let in all the same,
/// so that nobody who shares an operator's address can shut the operator out.
package struct OperatorGate<Context: RemoteAddressRequestContext>: RouterMiddleware {
    private let keys: OperatorKeys
    private let guesses: KeyGuesses
    private let logger: Logger

    package init(keys: OperatorKeys, guesses: KeyGuesses, logger: Logger) {
        self.keys = keys
        self.guesses = guesses
        self.logger = logger
    }

    @concurrent
    package func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.headers[.authorization] != nil else {
            return refusal("send an operator key as Authorization: Bearer KEY")
        }
        if keys.name(of: request) != nil { return try await next(request, context) }
        let address = ClientAddress.of(context.remoteAddress)
        if let pause = guesses.pause(for: address) { return Self.limited(pause) }
        note(request, from: address)
        return refusal("the operator key is not right; send it as Authorization: Bearer KEY")
    }

    private func note(_ request: Request, from address: String) {
        let pause = guesses.note(from: address)
        var facts: Logger.Metadata = [
            "address": "\(address)", "method": "\(request.method.rawValue.prefix(Limits.identifierLength))",
            "path": "\(request.uri.path.prefix(Limits.textLength))",
        ]
        if let pause { facts["refusedForSeconds"] = "\(pause)" }
        logger.warning("a wrong operator key", metadata: facts)
    }

    private func refusal(_ detail: String) -> Response {
        var response = Response.problem(Problem(.operatorKeyRequired, detail))
        response.headers[.wwwAuthenticate] = "Bearer"
        return response
    }

    private static func limited(_ pause: Int) -> Response {
        var response = Response.problem(
            Problem(.tooManyRequests, "too many wrong operator keys came from this address; try again in \(pause) s"))
        response.headers[.retryAfter] = "\(pause)"
        return response
    }
}

/// Finds out whose key a request carries.
package struct OperatorKeys: Sendable {
    private let digests: [(name: String, digest: SHA256Digest)]

    package init(_ keys: [OperatorKey]) {
        digests = keys.map { ($0.name, SHA256.hash(data: Data($0.secret.utf8))) }
    }

    package func name(of request: Request) -> String? {
        guard let header = request.headers[.authorization], header.hasPrefix("Bearer ") else { return nil }
        let shown = SHA256.hash(data: Data(header.dropFirst("Bearer ".count).utf8))
        var found: String?
        for (name, digest) in digests where digest == shown { found = name }
        return found
    }
}
