import Contracts
import FleetRuntime
import FoundationEssentials
import HTTPTypes
import Hosting
import Hummingbird
import Logging
import NIOCore
import NIOFoundationEssentialsCompat
import Postgres
import WireJSON

extension Response {
    /// RFC 9457.
    package static func problem(_ problem: Problem) -> Response {
        var response = json(problem.status, problem)
        response.headers[.contentType] = "application/problem+json"
        if problem.code == .unavailable { response.headers[.retryAfter] = "1" }
        return response
    }

    package static func json(_ status: Int, _ body: some Encodable) -> Response {
        do {
            return .json(
                HTTPResponse.Status(code: status), String(decoding: try WireFormat.encode(body), as: UTF8.self))
        } catch {
            return .json(.internalServerError, #"{"code":"internal-error","status":500}"#)
        }
    }
}

/// Turns whatever a route throws into a problem; what is ours to mend shows no internals and is logged.
package struct ProblemMiddleware<Context: RequestContext>: RouterMiddleware {
    private let logger: Logger

    package init(logger: Logger) {
        self.logger = logger
    }

    @concurrent
    package func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            return .problem(problem(for: error, request))
        }
    }

    private func problem(for error: any Error, _ request: Request) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case is Overloaded: return Problem(.unavailable, "too many requests wait; try again shortly")
        case is CancellationError: return Problem(.unavailable, "this process stops; try again shortly")
        case let error as PostgresError where error.code == .statementTimeout:
            logger.warning("unavailable", metadata: facts(of: request, error))
            return Problem(.unavailable, "the database took too long; try again shortly")
        case let error as HTTPError: return problem(for: error)
        case let error as any RecoverableFailure where error.isTransient:
            logger.warning("a server does not answer, and a request was refused", metadata: facts(of: request, error))
            return Problem(.unavailable, "a part of the service cannot be reached; try again shortly")
        default:
            logger.error("a request failed", metadata: facts(of: request, error))
            return Problem(.internalError, "the request failed on our side and was logged")
        }
    }

    private func facts(of request: Request, _ error: any Error) -> Logger.Metadata {
        var facts: Logger.Metadata = [
            "method": "\(request.method.rawValue.prefix(Limits.identifierLength))",
            "path": "\(request.uri.path.prefix(Limits.textLength))", "error": "\(error)",
        ]
        if let trace = request.traceparent { facts["trace"] = "\(TraceContext.traceID(of: trace))" }
        return facts
    }

    private func problem(for error: HTTPError) -> Problem {
        switch error.status {
        case .notFound: Problem(.notFound, "there is nothing at this path")
        case .contentTooLarge: Problem(.tooLarge, "the body is larger than this route takes")
        case .methodNotAllowed: Problem(.methodNotAllowed, "this path does not take the method")
        default: Problem(.malformedBody, "the request cannot be read")
        }
    }
}

extension Request {
    /// Collects a JSON body.
    /// - Throws: `Problem` 415 without `application/json`, 413 past `limit` bytes.
    package func jsonBody(upTo limit: Int) async throws -> Data {
        guard let type = headers[.contentType], type.lowercased().hasPrefix("application/json") else {
            throw Problem(.unsupportedMediaType, "the body must be application/json")
        }
        let length = headers[.contentLength].flatMap { Int($0) }
        if let length, length > limit {
            throw Problem(.tooLarge, "the body has \(length) bytes, the limit is \(limit)")
        }
        let data = try await wholeBody(upTo: limit)
        guard length == nil || length == data.count else { throw Self.brokenOff }
        return data
    }

    /// Whatever keeps a body from arriving whole is its client's doing.
    private func wholeBody(upTo limit: Int) async throws -> Data {
        do {
            return Data(buffer: try await body.collect(upTo: limit))
        } catch is NIOTooManyBytesError {
            throw Problem(.tooLarge, "the body is larger than the limit of \(limit) bytes")
        } catch let error as CancellationError {
            throw error
        } catch {
            throw Self.brokenOff
        }
    }

    private static var brokenOff: Problem {
        Problem(.malformedBody, "the body broke off, or its length or its chunks are wrong")
    }

    /// The idempotency key as clients write it, with or without the quotes of a structured field.
    package var idempotencyKey: String? {
        get throws(Problem) {
            guard let name = HTTPField.Name("Idempotency-Key"), let header = headers[name] else { return nil }
            let isQuoted = header.count >= 2 && header.hasPrefix("\"") && header.hasSuffix("\"")
            let key = isQuoted ? String(header.dropFirst().dropLast()) : header
            guard (1...Limits.idempotencyKeyLength).contains(key.utf8.count) else {
                throw Problem(.invalid, "Idempotency-Key must have 1 to \(Limits.idempotencyKeyLength) bytes")
            }
            // Bytes that are no UTF-8 arrive here as U+FFFD, by which different keys would become one.
            guard TextRule.permits(key) else {
                throw Problem(.invalid, "Idempotency-Key must be UTF-8; it \(TextRule.demand)")
            }
            return key
        }
    }

    /// The W3C trace context, if there is a valid one.
    package var traceparent: String? {
        HTTPField.Name("traceparent").flatMap { headers[$0] }.flatMap(TraceContext.valid)
    }
}

extension Parameters {
    /// An identifier in the path; what is not one names nothing.
    package func identifier<ID: Identifier>(_ type: ID.Type) throws(Problem) -> ID {
        guard let text = get("id"), let id = ID(text) else {
            throw Problem(.notFound, "there is nothing of this id")
        }
        return id
    }
}
