import Contracts
import FleetRuntime
import FoundationEssentials
import HTTPTypes
import Hummingbird
import SagaCore
import ServiceLifecycle

/// The routes that start purchases, follow them, and ask them to turn back.
struct PurchaseRoutes: Sendable {
    let intake: PurchaseIntake<PurchaseSaga>
    let queries: SagaQueries
    let watchers: SagaWatchers

    func add(to router: Router<some RequestContext>) {
        router.post("saga/start") { request, _ in try await start(request) }
        router.get("sagas") { request, _ in try await list(request) }
        router.get("sagas/:id") { _, context in
            Response.json(200, SagaAnswer(try await history(of: context.parameters.identifier(SagaID.self))))
        }
        router.get("sagas/:id/stream") { _, context in try await stream(context.parameters.identifier(SagaID.self)) }
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
            if let seconds = request.preferredWait,
                let history = try await outcome(of: saga, in: state, within: seconds)
            {
                var response = Response.json(200, SagaAnswer(history))
                response.headers[.location] = "/sagas/\(saga)"
                response.headers[.preferenceApplied] = "wait=\(seconds)"
                return response
            }
            var response = Response.json(202, AcceptedAnswer(saga, state: state))
            response.headers[.location] = "/sagas/\(saga)"
            return response
        }
    }

    /// Waits until the saga, known to be in `state`, has an outcome; nil when it has none in time.
    private func outcome(of saga: SagaID, in state: String, within seconds: Int) async throws -> SagaHistory? {
        let deadline = ContinuousClock.now + .seconds(seconds)
        let watch = watchers.enter(saga, for: .outcome)
        defer { watchers.leave(watch) }
        var isOpen = PurchaseState.openTags.contains(state)
        var pause = Duration.milliseconds(250)
        while true {
            if isOpen {
                let left = deadline - .now
                guard left > .zero, !Task.isShuttingDownGracefully, !Task.isCancelled else { return nil }
                // Another process's outcome, or one from before we watched, is found by looking again.
                await watch.bell.wait(atMost: min(left, pause))
                pause = min(pause * 2, .seconds(2))
            }
            let history = try await history(of: saga)
            if history.saga.state.outcome != nil { return history }
            isOpen = true
        }
    }

    private func history(of saga: SagaID) async throws -> SagaHistory {
        guard let history = try await queries.history(of: saga) else {
            throw Problem(.notFound, "there is no saga \(saga)")
        }
        return history
    }

    private func list(_ request: Request) async throws -> Response {
        let query = QueryReader(request)
        let filter = SagaFilter(
            state: try query.choice("state", among: PurchaseState.tags), eventID: try query.identifier("eventId"),
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

    private func stream(_ saga: SagaID) async throws -> Response {
        _ = try await history(of: saga)
        return SagaStream(saga: saga, queries: queries, watchers: watchers).response
    }
}

extension PurchaseState {
    static let openTags = ["reserving", "charging", "confirming", "closing", "unwinding"]
    static let tags = openTags + ["completed", "refused", "refunded"]
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
