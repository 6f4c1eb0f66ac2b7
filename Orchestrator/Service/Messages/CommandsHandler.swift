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

    package init(
        desk: PurchaseDesk<Store>, purchases: PurchaseProgress<Store>, publishing: EventPublishing
    ) {
        self.desk = desk
        self.purchases = purchases
        self.publishing = publishing
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
                    wish: wish, key: "amqp:\(envelope.id)", messageID: envelope.id, replyTo: envelope.replyTo,
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
        let bodies = batch.map { envelope in
            Result { () throws(Problem) in
                try StrictBody.read(CancelPurchase.self, from: envelope.body, fields: CancelPurchase.fields)
            }
        }
        let events = zip(batch, bodies).compactMap { envelope, body -> SagaEvent<PurchaseInput>? in
            guard case .success(let command) = body else { return nil }
            return SagaEvent(
                sagaID: command.sagaId, messageID: envelope.id, input: .cancelRequested, answeredStep: nil,
                traceparent: envelope.traceparent)
        }
        var results = try await purchases.advance(events).makeIterator()
        return try zip(batch, bodies).map { envelope, body in
            switch body {
            case .failure(let problem): return try refuse(envelope, problem)
            case .success(let command):
                switch results.next() {
                case .taken(_, let messages), .repeated(_, let messages): return .reply(messages)
                case .ignored(_, let state):
                    guard let problem = CancelRules.problem(in: state, of: command.sagaId) else { return .reply([]) }
                    return try refuse(envelope, problem)
                case .unknownSaga:
                    return try refuse(envelope, Problem(.notFound, "there is no saga \(command.sagaId)"))
                case nil: preconditionFailure("the runner left out a result")
                }
            }
        }
    }

    private func publish(_ envelope: Envelope) async throws -> Outcome {
        do {
            let event = try StrictBody.read(PublishEvent.self, from: envelope.body, fields: PublishEvent.fields)
            try EventRules.check(event)
            let asker = EventPublishing.Asker(envelope)
            switch try await publishing.publish(
                event, key: "amqp:\(envelope.id)", fingerprint: try Fingerprint.of(event),
                traceparent: envelope.traceparent, for: asker)
            {
            case .published: return .reply([])
            case .repeated(let id):
                let answer = try asker.map {
                    try publishing.answer(to: $0, event, id: id, traceparent: envelope.traceparent)
                }
                return .reply(answer.map { [$0] } ?? [])
            case .keyReused: throw Problem(.keyReused, "the message_id was used for another event")
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
    /// What its publisher knows a command by.
    fileprivate var knownBy: String { correlationID ?? id.description }
}
