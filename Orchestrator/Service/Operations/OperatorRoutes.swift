import Contracts
import FleetRuntime
import Hummingbird

/// Everything under `/ops`, for those who have an operator key.
struct OperatorRoutes: Sendable {
    let keys: OperatorKeys
    let board: StatusBoard
    let sagas: SagaOperations
    let letters: DeadLetterRoutes
    let audit: AuditBook
    let pauses: PauseRoutes
    let verification: VerifyRoute

    func add(to router: Router<some VisitorContext>) {
        let ops = router.group("ops").add(middleware: OperatorGate(keys: keys))
        verification.add(to: ops)
        letters.add(to: ops)
        AuditRoutes(book: audit).add(to: ops)
        pauses.add(to: ops)
        ops.get("status") { _, _ in Response.json(200, try await board.status()) }
        ops.get("queues") { _, _ in Response.json(200, ["queues": try await board.queues.read()]) }
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
