import Connections
import Contracts
import FleetRuntime
import FoundationEssentials
import SagaCore

/// What upstream systems ask for: start or cancel a purchase, publish an event.
package struct CommandsHandler<Store: SagaStore>: BatchHandler where Store.Definition: PurchaseDefinition {
    let desk: PurchaseDesk<Store>
    let purchases: PurchaseProgress<Store>
    let publishing: EventPublishing
    let requests: any RequestStore

    package init(
        desk: PurchaseDesk<Store>, purchases: PurchaseProgress<Store>, publishing: EventPublishing,
        requests: any RequestStore
    ) {
        self.desk = desk
        self.purchases = purchases
        self.publishing = publishing
        self.requests = requests
    }

    package func handle(_ batch: [Envelope]) async throws -> [Outcome] {
        let starts = batch.indices.filter { batch[$0].kind == .purchaseStart }
        let cancels = batch.indices.filter { batch[$0].kind == .purchaseCancel }
        var outcomes = try batch.map(refuseKind)
        for (index, outcome) in zip(starts, try await start(starts.map { batch[$0] })) { outcomes[index] = outcome }
        for (index, outcome) in zip(cancels, try await cancel(cancels.map { batch[$0] })) { outcomes[index] = outcome }
        for index in batch.indices where batch[index].kind == .eventPublish {
            outcomes[index] = try await publish(batch[index])
        }
        return outcomes
    }

    /// What no upstream system may send.
    private func refuseKind(_ envelope: Envelope) throws -> Outcome {
        let problem = Problem(.invalid, "\(envelope.kind.rawValue) is not for this queue")
        return .bury(
            reason: BurialReason.unexpectedKind(envelope.kind),
            answers: try Rejection.answer(to: envelope, problem).map { [$0] } ?? [])
    }

    private func start(_ batch: [Envelope]) async throws -> [Outcome] {
        guard !batch.isEmpty else { return [] }
        let asks = batch.map(ask)
        let answers = try await desk.start(asks.compactMap { if case .success(let ask) = $0 { ask } else { nil } })
        var answered = answers.makeIterator()
        return try zip(batch, asks).map { envelope, ask in
            switch ask {
            case .failure(let problem): return try refuse(envelope, problem)
            case .success:
                switch answered.next() {
                case .accepted(_, let messages, _): return .reply(messages)
                case .rejected(let problem): return try refuse(envelope, problem)
                case nil: preconditionFailure("the desk left out an answer")
                }
            }
        }
    }

    private func ask(_ envelope: Envelope) -> Result<StartAsk, Problem> {
        do throws(Problem) {
            let wish = try StrictBody.read(StartPurchase.self, from: envelope.body, fields: StartPurchase.fields)
            return .success(
                StartAsk(
                    wish: wish, key: envelope.key, messageID: envelope.id, replyTo: envelope.replyTo,
                    correlationID: envelope.correlationID, traceparent: envelope.traceparent))
        } catch {
            return .failure(error)
        }
    }

    /// Tells the publisher if it can be told; a wish that makes no sense is also kept for an operator to see.
    private func refuse(_ envelope: Envelope, _ problem: Problem) throws -> Outcome {
        let answers = try Rejection.answer(to: envelope, problem).map { [$0] } ?? []
        switch problem.code {
        case .malformedBody: return .bury(reason: "\(problem.code.rawValue): \(problem.detail)", answers: answers)
        case .invalid where answers.isEmpty: return .bury(reason: "\(problem.code.rawValue): \(problem.detail)")
        case .invalid, .unsupportedMediaType, .tooLarge, .notFound, .methodNotAllowed, .purchaseInProgress, .soldOut,
            .salesEnded, .salesPaused, .alreadyPaid, .alreadyEnded, .notCompleted, .keyReused, .operatorKeyRequired,
            .crossSite, .expectationFailed, .tooManyRequests, .unavailable, .internalError:
            return .reply(answers)
        }
    }

    private func cancel(_ batch: [Envelope]) async throws -> [Outcome] {
        guard !batch.isEmpty else { return [] }
        let cancels = batch.map(CancelRequest.read)
        var answers = try await Cancellation(purchases, requests).answer(
            cancels.compactMap { if case .success(let cancel) = $0 { cancel } else { nil } }
        ).makeIterator()
        return try zip(batch, cancels).map { envelope, cancel in
            switch cancel {
            case .failure(let problem): return try refuse(envelope, problem)
            case .success:
                switch answers.next() {
                case .taken(let messages): return .reply(messages)
                case .rejected(let problem): return try refuse(envelope, problem)
                case nil: preconditionFailure("a cancel was left out")
                }
            }
        }
    }

    private func publish(_ envelope: Envelope) async throws -> Outcome {
        do {
            let event = try StrictBody.read(PublishEvent.self, from: envelope.body, fields: PublishEvent.fields)
            let asker = EventPublishing.Asker(envelope)
            switch try await publishing.publish(
                event, key: envelope.key, fingerprint: try Fingerprint.of(event),
                traceparent: envelope.traceparent, for: asker)
            {
            case .published: return .reply([])
            case .repeated(let id):
                let answer = try asker.map {
                    try publishing.answer(to: $0, event, id: id, traceparent: envelope.traceparent)
                }
                return .reply(answer.map { [$0] } ?? [])
            case .keyReused: throw Problem(.keyReused, "the message_id was used for another request")
            case .rejected(let problem): throw problem
            }
        } catch let problem as Problem {
            return try refuse(envelope, problem)
        }
    }
}

extension EventPublishing.Asker {
    /// Nil when the publisher named no queue for answers.
    fileprivate init?(_ envelope: Envelope) {
        guard let queue = envelope.replyTo else { return nil }
        self.init(queue: queue, correlationID: envelope.knownBy, command: envelope.id)
    }
}

extension Envelope {
    /// What the record of requests knows it by.
    var key: String { requestKey ?? "amqp:\(id)" }

    /// What its publisher knows a command by.
    fileprivate var knownBy: String { correlationID ?? id.description }
}
