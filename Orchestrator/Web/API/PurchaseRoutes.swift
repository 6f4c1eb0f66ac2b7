import Contracts
import Engine
import FleetRuntime
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Purchases
import SagaCore
import ServiceLifecycle
import WebKit

/// The routes that start purchases, follow them, and ask them to turn back.
package struct PurchaseRoutes: Sendable {
    let intake: PurchaseIntake<PurchaseSaga>
    let queries: SagaQueries<PurchaseSaga>
    let watchers: SagaWatchers
    let streams: SagaStreams

    package init(
        intake: PurchaseIntake<PurchaseSaga>, queries: SagaQueries<PurchaseSaga>, watchers: SagaWatchers,
        streams: SagaStreams
    ) {
        self.intake = intake
        self.queries = queries
        self.watchers = watchers
        self.streams = streams
    }

    func add(to router: Router<some RequestContext>) {
        router.post("saga/start") { request, _ in try await start(request) }
        router.get("sagas") { request, _ in try await list(request) }
        router.get("sagas/:id") { _, context in
            Response.json(200, SagaAnswer(try await history(of: context.parameters.identifier(SagaID.self))))
        }
        router.get("sagas/:id/stream") { request, context in
            try await streams.answer(request, for: context.parameters.identifier(SagaID.self))
        }
        router.post("sagas/:id/cancel") { request, context in
            try await turnBack(
                context.parameters.identifier(SagaID.self), .cancelRequested, request, CancelRules.problem)
        }
        router.post("sagas/:id/refund") { request, context in
            try await turnBack(
                context.parameters.identifier(SagaID.self), .refundRequested, request, RefundRules.problem)
        }
    }

    private func start(_ request: Request) async throws -> Response {
        let key = try request.idempotencyKey
        let body = try await request.jsonBody(upTo: Limits.requestBodyBytes)
        let wish = try StrictBody.read(StartPurchase.self, from: body, fields: StartPurchase.fields)
        let ask = StartAsk(
            wish: wish, key: key.map { "http:\($0)" }, messageID: nil, replyTo: nil, correlationID: nil,
            traceparent: request.traceparent)
        switch try await intake.start(ask) {
        case .rejected(let problem): throw problem
        case .accepted(let saga, _, let state):
            return try await answer(saga, in: state, waiting: request.preferredWait)
        }
    }

    /// The outcome if it comes in the time that the client wants to wait, else where the purchase stands by then.
    private func answer(_ saga: SagaID, in state: String, waiting seconds: Int?) async throws -> Response {
        var response: Response
        if let seconds {
            let history = try await history(of: saga, in: state, within: seconds)
            if history.saga.state.outcome != nil {
                response = .json(200, SagaAnswer(history))
                response.headers[.preferenceApplied] = "wait=\(seconds)"
            } else {
                response = .json(202, AcceptedAnswer(saga, state: history.saga.state.tag))
            }
        } else {
            response = .json(202, AcceptedAnswer(saga, state: state))
        }
        response.headers[.location] = "/sagas/\(saga)"
        return response
    }

    /// Waits until the saga, known to be in `state`, has an outcome, as long as there is time; reads it then.
    private func history(of saga: SagaID, in state: String, within seconds: Int) async throws -> SagaHistory<
        PurchaseSaga
    > {
        let deadline = ContinuousClock.now + .seconds(seconds)
        let watch = watchers.enter(saga, for: .outcome)
        defer { watchers.leave(watch) }
        if PurchaseState.openTags.contains(state) { await watch.signal.wait(atMost: deadline - .now) }
        while true {
            let history = try await history(of: saga)
            let left = deadline - .now
            if history.saga.state.outcome != nil || left <= .zero || Task.isShuttingDownGracefully || Task.isCancelled {
                return history
            }
            await watch.signal.wait(atMost: left)
        }
    }

    private func history(of saga: SagaID) async throws -> SagaHistory<PurchaseSaga> {
        guard let history = try await queries.history(of: saga) else {
            throw Problem(.notFound, "there is no saga \(saga)")
        }
        return history
    }

    private func list(_ request: Request) async throws -> Response {
        let query = QueryReader(request)
        let filter = SagaFilter(
            state: try query.choice("state", among: (PurchaseState.openTags + PurchaseState.endTags)),
            eventID: try query.identifier("eventId"),
            userID: try query.text("userId"),
            isAttentionNeeded: try query.choice("attention", among: ["true", "false"]) == "true",
            before: try query.identifier("cursor"), limit: try query.limit())
        let sagas = try await queries.page(filter)
        return .json(200, Page(sagas.map { SagaAnswer($0) }, limit: filter.limit) { $0.sagaId.description })
    }

    private func turnBack(
        _ saga: SagaID, _ input: PurchaseInput, _ request: Request,
        _ rule: (PurchaseState, SagaID) -> Problem?
    ) async throws -> Response {
        let event = SagaEvent(
            sagaID: saga, messageID: .fresh(), input: input, answeredStep: nil, traceparent: request.traceparent)
        switch try await intake.advance(event) {
        case .taken(let record, _), .repeated(let record, _):
            return .json(202, AcceptedAnswer(saga, state: record.state.tag))
        case .ignored(_, let state):
            if let problem = rule(state, saga) { throw problem }
            return .json(202, AcceptedAnswer(saga, state: state.tag))
        case .unknownSaga: throw Problem(.notFound, "there is no saga \(saga)")
        }
    }
}

extension HTTPField.Name {
    static var prefer: Self { Self("Prefer") ?? .cookie }
    static var preferenceApplied: Self { Self("Preference-Applied") ?? .cookie }
}

extension Request {
    /// The seconds of `Prefer: wait=…` (RFC 7240), at most what we hold a request open for.
    fileprivate var preferredWait: Int? {
        guard let header = headers[.prefer] else { return nil }
        let preferences = header.split(whereSeparator: { $0 == "," || $0 == ";" }).map {
            $0.trimmingPrefix(while: { $0.isWhitespace })
        }
        guard let wait = preferences.first(where: { $0.hasPrefix("wait=") }), let seconds = Int(wait.dropFirst(5)),
            seconds > 0
        else { return nil }
        return min(seconds, Limits.preferWaitSeconds)
    }
}
