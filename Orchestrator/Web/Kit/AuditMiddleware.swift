import Audit
import Contracts
import HTTPTypes
import Hummingbird
import Logging

/// Sees that whatever is changed under an operator's key leaves a line in the audit, with how it ended.
///
/// Outside of `/ops` the line is written before the request is handled, and when it cannot be written nothing is done.
/// The routes under `/ops` write it themselves, because they know more about what they do; a route that forgot is
/// caught here afterwards.
package struct AuditMiddleware<Context: VisitorContext>: RouterMiddleware {
    private let keys: OperatorKeys
    private let book: AuditStore
    private let logger: Logger

    package init(keys: OperatorKeys, book: AuditStore, logger: Logger) {
        self.keys = keys
        self.book = book
        self.logger = logger
    }

    @concurrent
    package func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.method.changesThings, let name = keys.name(of: request) else {
            return try await next(request, context)
        }
        let visit = OperatorVisit(name, from: context.remoteAddress?.ipAddress, book: book)
        var context = context
        context.visit = visit
        if !request.isUnderOps { try await visit.willDo(request.action) }
        do {
            let response = try await next(request, context)
            await note { try await visit.ended(response.result, of: request.action) }
            return response
        } catch {
            await note { try await visit.failed(Self.result(of: error)) }
            throw error
        }
    }

    /// What is done is done; when its end cannot be written down the line stays without one.
    private func note(_ work: () async throws -> Void) async {
        do {
            try await work()
        } catch {
            logger.error(
                "an operator's action could not be written down", metadata: ["error": "\(error)"])
        }
    }

    private static func result(of error: any Error) -> String {
        switch error {
        case let problem as Problem: "\(problem.status) \(problem.code.rawValue)"
        case let error as HTTPError: "\(error.status.code)"
        default: "failed"
        }
    }
}

extension HTTPRequest.Method {
    fileprivate var changesThings: Bool { ![.get, .head, .options].contains(self) }
}

extension Request {
    fileprivate var isUnderOps: Bool { uri.path.hasPrefix("/ops/") }

    /// What the path says: `/sagas/ID/refund` is a refund of the saga ID.
    fileprivate var action: NewAction {
        let parts = uri.path.split(separator: "/").map { String($0.prefix(Limits.textLength)) }
        return switch (parts.first ?? "", parts.count) {
        case ("events", 1): NewAction(word: "publish", subject: "an event")
        case ("saga", 2): NewAction(word: "start", subject: "a purchase")
        case ("sagas", 3): NewAction(word: parts[2], subject: "saga \(parts[1])")
        default: NewAction(word: "\(method.rawValue)", subject: String(uri.path.prefix(Limits.textLength)))
        }
    }
}

extension Response {
    /// The status, and what was made.
    fileprivate var result: String {
        headers[.location].map { "\(status.code) \($0)" } ?? "\(status.code)"
    }
}
