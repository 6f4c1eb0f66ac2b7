import Catalogue
import Connections
import Contracts
import CoreMetrics
import Engine
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Postgres
import SagaCore
import WireJSON

/// A wish to buy, as it came in.
package struct StartAsk: Sendable {
    package let wish: StartPurchase
    /// The idempotency key, with its origin, for ever; nil when the client gave none.
    package let key: String?
    /// The id of the message that brought it; HTTP has none.
    package let messageID: MessageID?
    package let replyTo: String?
    package let correlationID: String?
    package let traceparent: String?

    package init(
        wish: StartPurchase, key: String?, messageID: MessageID?, replyTo: String?, correlationID: String?,
        traceparent: String?
    ) {
        self.wish = wish
        self.key = key
        self.messageID = messageID
        self.replyTo = replyTo
        self.correlationID = correlationID
        self.traceparent = traceparent
    }
}

/// The answer to a wish to buy.
package enum StartAnswer: Sendable {
    /// The purchase is under way, or was under the same key; it stands in the state of this tag.
    case accepted(SagaID, [OutgoingMessage], state: String)
    case rejected(Problem)
}

/// Where every purchase begins, from HTTP and AMQP alike: check, price, refuse what cannot be, start the rest.
package struct PurchaseAdmission<Store: SagaStore>: Sendable where Store.Definition: PurchaseDefinition {
    package typealias Definition = Store.Definition

    let runner: SagaRunner<Store>
    let requests: any RequestStore
    let catalogue: EventCatalogue
    let stock: any StockView
    let availability: AvailabilityHints
    let hints: PurchaseHints
    let hold: Duration
    let pauses: SalesPauses
    let answers = Labelled<Counter>(.purchaseStarts, by: "answer")

    package init(
        _ runner: SagaRunner<Store>, requests: any RequestStore, catalogue: EventCatalogue, stock: any StockView,
        availability: AvailabilityHints, hints: PurchaseHints, hold: Duration, pauses: SalesPauses = SalesPauses()
    ) {
        self.runner = runner
        self.requests = requests
        self.catalogue = catalogue
        self.stock = stock
        self.availability = availability
        self.hints = hints
        self.hold = hold
        self.pauses = pauses
    }

    /// Answers a batch of wishes; the messages of the accepted ones are for the caller to send.
    @_specialize(where Store == PostgresSagaStore<PurchaseSaga>)
    package func start(_ asks: [StartAsk]) async throws -> [StartAnswer] {
        guard !asks.isEmpty else { return [] }
        let events = try await catalogue.events(Set(asks.map(\.wish.eventId)))
        let checked = asks.map { check($0, events[$0.wish.eventId]) }
        let scarce = try await scarceTiers(checked.compactMap(\.request))
        let paused = try await pauses.problems(for: Set(events.keys))
        let decided = try await settle(
            asks, checked.map { admit($0, events, scarce, paused, at: RuntimeEnvironment.date) })
        let admitted = decided.compactMap(\.request)
        let results = try await runner.start(admitted)
        claim(admitted, results)
        var started = results.makeIterator()
        let given: [StartAnswer] = decided.map { decision in
            switch decision {
            case .rejected(let problem): .rejected(problem)
            case .repeated(let result): StartAnswer(result)
            case .admitted: started.next().map(StartAnswer.init) ?? .rejected(Problem(.internalError, "no answer"))
            }
        }
        answers.add(tally(given, \.word))
        return given
    }

    private enum Decision {
        case admitted(StartRequest<Definition>)
        case rejected(Problem)
        /// It would be rejected now, but was accepted when it came first.
        case repeated(StartResult)

        var request: StartRequest<Definition>? {
            if case .admitted(let request) = self { request } else { nil }
        }
    }

    private func check(_ ask: StartAsk, _ event: CatalogueEvent?) -> Decision {
        do throws(Problem) {
            let request = try PurchaseRules.check(
                ask.wish, for: event, holdSeconds: Int(hold.components.seconds), replyTo: ask.replyTo,
                correlationID: ask.correlationID)
            return .admitted(try startRequest(ask, request))
        } catch {
            return .rejected(error)
        }
    }

    private func startRequest(
        _ ask: StartAsk, _ request: PurchaseRequest
    ) throws(Problem) -> StartRequest<Definition> {
        let id = SagaID.fresh()
        let claim = StartClaim(
            key: ask.key, fingerprint: try Fingerprint.of(ask.wish),
            intent: Intent(event: request.eventId, user: request.userId).text, eventID: request.eventId,
            userID: request.userId)
        return StartRequest(
            id: id, messageID: ask.messageID ?? .derived(from: id.uuid, "start"), input: .start, request: request,
            claim: claim, traceparent: ask.traceparent ?? TraceContext.root(id))
    }

    /// How much is left in the tiers that have little: Redis says which to look at, PostgreSQL says how much it is.
    private func scarceTiers(_ requests: [StartRequest<Definition>]) async throws -> [TierKey: Int] {
        let wanted = Dictionary(
            requests.map { ($0.request.tierKey, $0.request.placesNeeded) }, uniquingKeysWith: max)
        let suspects = await availability.scarce(among: wanted)
        return suspects.isEmpty ? [:] : try await stock.left(in: suspects)
    }

    /// Refuses what cannot be bought now.
    private func admit(
        _ decision: Decision, _ events: [EventID: CatalogueEvent], _ scarce: [TierKey: Int],
        _ paused: [EventID: Problem], at now: Date
    ) -> Decision {
        guard let request = decision.request?.request,
            let problem = paused[request.eventId]
                ?? refusal(of: request, events[request.eventId], scarce[request.tierKey], at: now)
        else { return decision }
        return .rejected(problem)
    }

    /// Records rejections under their keys; where the key has an answer already, that one stands, whatever would be
    /// decided now.
    private func settle(_ asks: [StartAsk], _ decisions: [Decision]) async throws -> [Decision] {
        let rejected = try zip(asks, decisions).compactMap { ask, decision throws(Problem) -> RequestRecord? in
            guard case .rejected(let problem) = decision, let key = ask.key else { return nil }
            return RequestRecord(
                key: key, kind: .purchaseStart, fingerprint: try Fingerprint.of(ask.wish), subject: nil,
                answer: .rejected(problem))
        }
        guard !rejected.isEmpty else { return decisions }
        var standing = zip(rejected, try await requests.take(rejected)).makeIterator()
        let answers = zip(asks, decisions).map { ask, decision -> StandingAnswer? in
            guard case .rejected = decision, ask.key != nil, let (request, record) = standing.next() else { return nil }
            if let saga = record.sagaOfRepeat(request) { return .begun(repeatedStart(of: saga, ask)) }
            return record.problem(for: request).map { .rejected($0) }
        }
        let begun = answers.compactMap { if case .begun(let start)? = $0 { start } else { nil } }
        var repeated = try await runner.repeatStarts(begun, by: .start).makeIterator()
        return zip(decisions, answers).map { decision, answer in
            switch answer {
            case .begun: (repeated.next() ?? nil).map { .repeated($0) } ?? decision
            case .rejected(let problem): .rejected(problem)
            case nil: decision
            }
        }
    }

    /// What stands under the key of a start that would be rejected now.
    private enum StandingAnswer {
        case begun(RepeatedStart<Definition>)
        case rejected(Problem)
    }

    private func repeatedStart(of saga: SagaID, _ ask: StartAsk) -> RepeatedStart<Definition> {
        RepeatedStart(saga: saga) { $0.answered(in: ask.replyTo, as: ask.correlationID) }
    }

    private func refusal(
        of request: PurchaseRequest, _ event: CatalogueEvent?, _ left: Int?, at now: Date
    ) -> Problem? {
        if let event, event.salesEnd <= now {
            return Problem(.salesEnded, "sales ended at \(WireFormat.text(of: event.salesEnd))")
        }
        guard let left, left < request.placesNeeded else { return nil }
        return left > 0
            ? Problem(
                .soldOut, "\(left) of the \(request.quantity) wanted places are left in the tier \(request.tier)",
                available: left)
            : Problem(.soldOut, "nothing is left in the tier \(request.tier)", available: 0)
    }

    private func claim(_ requests: [StartRequest<Definition>], _ results: [StartResult]) {
        hints.note(
            zip(requests, results).compactMap { request, result in
                guard case .started(let saga, _, _) = result else { return nil }
                return .begun(request.request.intent, saga, hold: .seconds(request.request.holdSeconds))
            })
    }
}

extension StartAnswer {
    /// For counting: accepted, or the problem's code.
    fileprivate var word: String {
        switch self {
        case .accepted: "accepted"
        case .rejected(let problem): problem.code.rawValue
        }
    }

    init(_ result: StartResult) {
        switch result {
        case .started(let id, let messages, let state), .repeated(let id, let messages, let state):
            self = .accepted(id, messages, state: state)
        case .rejected(let problem): self = .rejected(problem)
        }
    }
}

extension PurchaseRequest {
    var intent: Intent { Intent(event: eventId, user: userId) }
    var tierKey: TierKey { TierKey(event: eventId, name: tier) }
    /// So many places must be left for the purchase to make sense; seats that were named may be gone for other reasons.
    fileprivate var placesNeeded: Int { seats == nil ? quantity : 1 }
}

extension RequestRecord {
    /// The saga that was begun when the same request came first.
    fileprivate func sagaOfRepeat(_ request: RequestRecord) -> SagaID? {
        guard fingerprint == request.fingerprint, answer == .accepted else { return nil }
        return subject.map { SagaID($0) }
    }
}
