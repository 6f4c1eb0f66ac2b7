import Connections
import Contracts
import CoreMetrics
import Crypto
import FleetRuntime
import FoundationEssentials
import Postgres
import SagaCore

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
package struct PurchaseDesk<Store: SagaStore>: Sendable where Store.Definition: PurchaseDefinition {
    package typealias Definition = Store.Definition

    let runner: SagaRunner<Store>
    let catalogue: Catalogue
    let stock: any StockView
    let hints: PurchaseHints
    let hold: Duration
    let pauses: SalesPauses
    let answers = Labelled<Counter>(.purchaseStarts, by: "answer")

    package init(
        _ runner: SagaRunner<Store>, catalogue: Catalogue, stock: any StockView, hints: PurchaseHints, hold: Duration,
        pauses: SalesPauses = SalesPauses()
    ) {
        self.runner = runner
        self.catalogue = catalogue
        self.stock = stock
        self.hints = hints
        self.hold = hold
        self.pauses = pauses
    }

    /// Answers a batch of wishes; the messages of the accepted ones are for the caller to send.
    package func start(_ asks: [StartAsk]) async throws -> [StartAnswer] {
        let events = try await catalogue.events(Set(asks.map(\.wish.eventId)))
        let checked = asks.map { check($0, events[$0.wish.eventId]) }
        let soldOut = try await soldOutTiers(checked.compactMap(\.request))
        let paused = try await pauses.problems(for: Set(events.keys))
        let admitted = try await admit(checked, events, soldOut, paused)
        let results = try await runner.start(admitted.compactMap(\.request))
        claim(admitted.compactMap(\.request), results)
        var started = results.makeIterator()
        let given: [StartAnswer] = admitted.map { decision in
            switch decision {
            case .rejected(let problem): .rejected(problem)
            case .admitted: started.next().map(StartAnswer.init) ?? .rejected(Problem(.internalError, "no answer"))
            }
        }
        answers.add(tally(given, \.word))
        return given
    }

    private enum Decision {
        case admitted(StartRequest<Definition>)
        case rejected(Problem)

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

    /// The wanted tiers that have nothing left: Redis says which to look at, PostgreSQL says whether it is so.
    private func soldOutTiers(_ requests: [StartRequest<Definition>]) async throws -> Set<TierKey> {
        let suspects = await hints.soldOut(among: Set(requests.map(\.request.tierKey)))
        return suspects.isEmpty ? [] : try await stock.soldOut(among: suspects)
    }

    /// Refuses what cannot be bought now, but not the repeat of a start that was accepted when it could.
    private func admit(
        _ decisions: [Decision], _ events: [EventID: CatalogueEvent], _ soldOut: Set<TierKey>,
        _ paused: [EventID: Problem]
    ) async throws -> [Decision] {
        let now = World.date
        let refusals = decisions.map { decision in
            decision.request.flatMap {
                paused[$0.request.eventId] ?? refusal(of: $0.request, events[$0.request.eventId], soldOut, at: now)
            }
        }
        guard refusals.contains(where: { $0 != nil }) else { return decisions }
        let keys = zip(decisions, refusals).compactMap { $1 == nil ? nil : $0.request?.claim.key }
        let known = Set(try await runner.store.knownKeys(keys).map(ExactText.init))
        return zip(decisions, refusals).map { decision, refusal in
            let isRepeat = decision.request?.claim.key.map { known.contains(ExactText($0)) } ?? false
            return isRepeat ? decision : refusal.map(Decision.rejected) ?? decision
        }
    }

    private func refusal(
        of request: PurchaseRequest, _ event: CatalogueEvent?, _ soldOut: Set<TierKey>, at now: Date
    ) -> Problem? {
        if let event, event.salesEnd <= now {
            return Problem(.salesEnded, "sales ended at \(WireFormat.text(of: event.salesEnd))")
        }
        guard soldOut.contains(request.tierKey) else { return nil }
        return Problem(.soldOut, "nothing is left in the tier \(request.tier)")
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
        case .keyReused(let id):
            self = .rejected(Problem(.keyReused, "the key was used for another request", sagaId: id))
        case .inProgress(let id):
            self = .rejected(
                Problem(.purchaseInProgress, "a purchase of this user for this event is under way", sagaId: id))
        }
    }
}

extension PurchaseRequest {
    var intent: Intent { Intent(event: eventId, user: userId) }
    var tierKey: TierKey { TierKey(event: eventId, name: tier) }
}

/// The hash by which a repeated request is told from another one under the same key.
enum Fingerprint {
    static func of(_ value: some Encodable) throws(Problem) -> Data {
        do {
            return Data(SHA256.hash(data: try WireFormat.canonical(value)))
        } catch {
            throw Problem(.internalError, "the request cannot be fingerprinted")
        }
    }
}
