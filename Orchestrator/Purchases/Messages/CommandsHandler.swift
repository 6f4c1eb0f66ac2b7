import Catalogue
import Connections
import Contracts
import Engine
import FleetRuntime
import FleetStorage
import FoundationEssentials
import SagaCore

/// What upstream systems ask for: start or cancel a purchase, publish an event.
package struct CommandsHandler<Store: SagaStore>: BatchHandler where Store.Definition: PurchaseDefinition {
    let desk: PurchaseAdmission<Store>
    let purchases: PurchaseProgress<Store>
    let publishing: EventPublishing
    let requests: any RequestStore

    package init(
        desk: PurchaseAdmission<Store>, purchases: PurchaseProgress<Store>, publishing: EventPublishing,
        requests: any RequestStore
    ) {
        self.desk = desk
        self.purchases = purchases
        self.publishing = publishing
        self.requests = requests
    }

    /// Decides in the order of arrival, kind by kind where that makes no difference.
    package func handle(_ batch: [Envelope]) async throws -> [Outcome] {
        let commands = batch.map(UpstreamCommand.read)
        var outcomes: [Outcome] = []
        for group in CommandGroups(commands, of: batch) {
            outcomes += try await decide(Array(zip(batch[group], commands[group])))
        }
        return outcomes
    }

    private func decide(_ group: [(envelope: Envelope, command: UpstreamCommand)]) async throws -> [Outcome] {
        var started = try await desk.start(group.compactMap(\.command.start)).makeIterator()
        var cancelled = try await Cancellation(purchases, requests).answer(group.compactMap(\.command.cancel))
            .makeIterator()
        var outcomes: [Outcome] = []
        for (envelope, command) in group {
            switch command {
            case .start: outcomes.append(try outcome(of: started.next(), to: envelope))
            case .cancel: outcomes.append(try outcome(of: cancelled.next(), to: envelope))
            case .publish(let event): outcomes.append(try await publish(event, envelope))
            case .foreign: outcomes.append(try refuseKind(envelope))
            case .unusable(let problem): outcomes.append(try refuse(envelope, problem))
            }
        }
        return outcomes
    }

    /// What no upstream system may send.
    private func refuseKind(_ envelope: Envelope) throws -> Outcome {
        let problem = Problem(.invalid, "\(envelope.kind.rawValue) is not for this queue")
        return .deadLetter(
            reason: DeadLetterReason.unexpectedKind(envelope.kind),
            answers: try Rejection.answer(to: envelope, problem).map { [$0] } ?? [])
    }

    private func outcome(of answer: StartAnswer?, to envelope: Envelope) throws -> Outcome {
        switch answer {
        case .accepted(_, let messages, _): .reply(messages)
        case .rejected(let problem): try refuse(envelope, problem)
        case nil: preconditionFailure("the desk left out an answer")
        }
    }

    private func outcome(of answer: CancelAnswer?, to envelope: Envelope) throws -> Outcome {
        switch answer {
        case .taken(let messages): .reply(messages)
        case .rejected(let problem): try refuse(envelope, problem)
        case nil: preconditionFailure("a cancel was left out")
        }
    }

    /// Tells the publisher if it can be told; a wish that makes no sense is also kept for an operator to see.
    private func refuse(_ envelope: Envelope, _ problem: Problem) throws -> Outcome {
        let answers = try Rejection.answer(to: envelope, problem).map { [$0] } ?? []
        switch problem.code {
        case .malformedBody: return .deadLetter(reason: "\(problem.code.rawValue): \(problem.detail)", answers: answers)
        case .invalid where answers.isEmpty: return .deadLetter(reason: "\(problem.code.rawValue): \(problem.detail)")
        case .invalid, .unsupportedMediaType, .tooLarge, .notFound, .methodNotAllowed, .purchaseInProgress, .soldOut,
            .salesEnded, .salesPaused, .alreadyPaid, .alreadyEnded, .notCompleted, .keyReused, .operatorKeyRequired,
            .crossSite, .expectationFailed, .tooManyRequests, .unavailable, .internalError:
            return .reply(answers)
        }
    }

    private func publish(_ event: PublishEvent, _ envelope: Envelope) async throws -> Outcome {
        do {
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
