import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials
import RabbitMQ
import SagaCore
import Synchronization
import Topology

/// An upstream system: it publishes commands until it hears of them.
final class UpstreamPost<Definition: PurchaseDefinition>: Sendable {
    private static var queue: String { "upstream.answers" }

    private let fleet: SimulatedFleet<Definition>
    private let universe: Universe
    /// What came back first, by correlation id.
    private let answers = Mutex<[String: MessageKind]>([:])
    /// Cancels that nothing takes away, by correlation id; silence says that they will be done.
    private let cancels = Mutex<[String: SagaID]>([:])
    /// Cancels under ids that belong to other requests, by correlation id.
    private let reuses = Mutex<Set<String>>([])

    init(_ fleet: SimulatedFleet<Definition>) {
        self.fleet = fleet
        universe = fleet.universe
        fleet.broker.declare(Self.queue)
        fleet.broker.declare(Stage.fullQueue, upTo: 1)
    }

    /// Buys once or more, and never reads the queue that it named for the answers, which soon refuses them.
    func buyUnheard(_ event: EventID) async {
        for number in 0...universe.number(in: 0...2) {
            let id = universe.draw { MessageID.make(at: 6, using: &$0) }
            let wish = StartPurchase(
                userId: "unheard-\(number)", eventId: event, tier: Stage.floor, quantity: 1, email: nil)
            publish(wish, id: id, answeredTo: "unheard-\(number)", in: Stage.fullQueue)
            await universe.timeline.wait(for: universe.pause(from: .milliseconds(100), to: .seconds(5)))
        }
    }

    func send(_ payload: some Message, id: MessageID) async throws {
        fleet.broker.route(try publication(payload, id: id))
    }

    /// Tells of the buyer's interest, now and then twice.
    func observe(_ buyer: Buyer, _ promises: Promises) async {
        let interest = ObserveInterest(userId: buyer.wish.userId, eventId: buyer.wish.eventId, weight: 1)
        let id = universe.draw { MessageID.make(at: 5, using: &$0) }
        promises.observe(interest)
        publish(interest, id: id, answeredTo: nil)
        if universe.number(in: 0...3) == 0 { publish(interest, id: id, answeredTo: nil) }
    }

    /// Publishes the wish again and again until it is accepted or refused; only once if no broker forgets it.
    func buy(_ buyer: Buyer, _ promises: Promises) async -> SagaID? {
        let id = universe.draw { MessageID.make(at: 3, using: &$0) }
        let isTrusting = !universe.weather.takesMessagesAway
        publish(buyer.wish, id: id, answeredTo: buyer.key)
        while universe.timeline.now < Crowd<Definition>.patience {
            if !isTrusting { publish(buyer.wish, id: id, answeredTo: buyer.key) }
            for _ in 0..<8 {
                await universe.timeline.wait(for: .milliseconds(500))
                collect()
                guard let answer = answers.withLock({ $0[buyer.key] }) else { continue }
                universe.note("\(buyer.key) hears \(answer.rawValue)")
                guard answer == .purchaseAccepted else {
                    await askAgain(buyer, id)
                    return nil
                }
                guard let saga = fleet.orchestrator.tables.requests["amqp:\(id)"]?.subject.map(SagaID.init) else {
                    universe.condemn("\(buyer.key) was accepted and there is no purchase")
                    return nil
                }
                promises.accept(buyer.key, saga)
                return saga
            }
        }
        universe.condemn("I8: \(buyer.key) is never answered")
        return nil
    }

    /// What was rejected may be asked again by somebody who did not hear it; `collect` notices another answer.
    private func askAgain(_ buyer: Buyer, _ id: MessageID) async {
        guard universe.number(in: 0...1) == 0 else { return }
        await universe.timeline.wait(for: universe.pause(from: .milliseconds(100), to: .seconds(20)))
        publish(buyer.wish, id: id, answeredTo: buyer.key)
    }

    /// Cancels once, now and then first under the id of the start, which is another request's.
    func cancel(_ saga: SagaID, of buyer: Buyer, _ promises: Promises) async {
        let isTrusting = !universe.weather.takesMessagesAway
        if isTrusting && universe.number(in: 0...3) == 0, let chosen = idOfStart(saga) {
            let correlation = "\(buyer.key) reuses an id"
            reuses.withLock { _ = $0.insert(correlation) }
            return publish(CancelPurchase(sagaId: saga), id: chosen, answeredTo: correlation)
        }
        let correlation = "\(buyer.key) cancels"
        if isTrusting { cancels.withLock { $0[correlation] = saga } }
        let id = universe.draw { MessageID.make(at: 4, using: &$0) }
        publish(CancelPurchase(sagaId: saga), id: id, answeredTo: correlation)
    }

    private func idOfStart(_ saga: SagaID) -> MessageID? {
        let request = fleet.orchestrator.tables.requests.values.first {
            $0.subject == saga.uuid && $0.kind == .purchaseStart && $0.key.hasPrefix("amqp:")
        }
        return request.flatMap { MessageID($0.key.dropFirst(5)) }
    }

    func conclude(_ promises: Promises) {
        collect()
        let answers = answers.withLock { $0 }
        for (correlation, saga) in cancels.withLock({ $0 }) where answers[correlation] == nil {
            promises.turnBack(saga)
        }
        for correlation in reuses.withLock({ $0 }).sorted() where answers[correlation] != .purchaseRejected {
            universe.condemn("I8: \(correlation), and is not told")
        }
    }

    func publish(
        _ payload: some Message, id: MessageID, answeredTo correlation: String?, in queue: String? = nil
    ) {
        do {
            var publication = try publication(payload, id: id, answeredTo: correlation)
            if let queue { publication.properties.replyTo = queue }
            fleet.broker.route(publication)
        } catch {
            universe.condemn("an upstream message cannot be written: \(error)")
        }
    }

    private func publication(
        _ payload: some Message, id: MessageID, answeredTo correlation: String? = nil
    ) throws -> Publication {
        let envelope = try Envelope(
            id: id, payload, sagaID: nil, step: nil, causationID: nil, occurredAt: universe.timeline.date)
        var publication = Publication(OutgoingMessage(envelope, to: .owner), from: "upstream")
        publication.properties.correlationID = correlation
        publication.properties.replyTo = correlation == nil ? nil : Self.queue
        return publication
    }

    /// The first answer counts; the outcome of a purchase that was accepted does too.
    private func collect() {
        for publication in fleet.broker.drain(Self.queue) {
            guard let correlation = publication.properties.correlationID, let type = publication.properties.type,
                let kind = MessageKind(rawValue: type)
            else { continue }
            answers.withLock { answers in
                let answer = kind.isRefusal ? kind : .purchaseAccepted
                if let first = answers[correlation], first != answer {
                    universe.condemn("I8: \(correlation) hears \(first.rawValue), then \(answer.rawValue)")
                }
                answers[correlation] = answers[correlation] ?? answer
            }
        }
    }
}

extension MessageKind {
    fileprivate var isRefusal: Bool { self == .purchaseRejected }
}
