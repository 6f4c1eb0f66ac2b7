import Audit
import Contracts
import Hummingbird
import Logging
import Operations
import Postgres
import RabbitMQ
import Redis
import WebKit

/// Everything under `/ops`, for those who have an operator key.
package struct OperatorRoutes: Sendable {
    let keys: OperatorKeys
    let guesses = KeyGuesses()
    let board: StatusReport
    let sagas: SagaOperations
    let letters: DeadLetterRoutes
    let audit: AuditStore
    let pauses: PauseRoutes
    let undelivered: UndeliveredRoutes
    let verification: VerifyRoute
    let logger: Logger

    package init(
        keys: OperatorKeys, board: StatusReport, sagas: SagaOperations, letters: DeadLetterRoutes, audit: AuditStore,
        pauses: PauseRoutes, undelivered: UndeliveredRoutes, verification: VerifyRoute, logger: Logger
    ) {
        self.keys = keys
        self.board = board
        self.sagas = sagas
        self.letters = letters
        self.audit = audit
        self.pauses = pauses
        self.undelivered = undelivered
        self.verification = verification
        self.logger = logger
    }

    func add(to router: Router<some VisitorContext>) {
        let ops = router.group("ops")
            .add(middleware: OperatorGate(keys: keys, guesses: guesses, logger: logger))
            .add(middleware: ServerTroubles(logger: logger))
        verification.add(to: ops)
        letters.add(to: ops)
        AuditRoutes(book: audit).add(to: ops)
        pauses.add(to: ops)
        undelivered.add(to: ops)
        ops.get("status") { _, _ in Response.json(200, await board.status()) }
        ops.get("queues") { _, _ in Response.json(200, await board.queueList()) }
        ops.get("fleet") { _, _ in Response.json(200, ["members": try await board.members()]) }
        ops.get("timers") { request, _ in
            Response.json(200, ["timers": try await board.timers(try QueryReader(request).limit())])
        }
        ops.get("sagas/:id/explain") { _, context in
            Response.json(200, try await sagas.story(of: context.parameters.identifier(SagaID.self)))
        }
        ops.post("sagas/:id/redrive") { _, context in
            let saga = try context.parameters.identifier(SagaID.self)
            try await sagas.redrive(saga, by: context.operatorVisit())
            return Response.json(202, ["sagaId": saga])
        }
    }
}

/// Names the server that is in trouble to an operator, who can mend it, where others are only asked to come again.
private struct ServerTroubles<Context: RequestContext>: RouterMiddleware {
    let logger: Logger

    @concurrent
    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as PostgresError {
            throw problem(error, request)
        } catch let error as BrokerError {
            throw problem(error, request)
        } catch let error as RedisError {
            throw problem(error, request)
        }
    }

    private func problem(_ error: any Error, _ request: Request) -> Problem {
        logger.warning(
            "an operator's question has no answer",
            metadata: ["path": "\(request.uri.path.prefix(Limits.textLength))", "error": "\(error)"])
        return Problem(.unavailable, "\(error); turnstile doctor says what to do")
    }
}
