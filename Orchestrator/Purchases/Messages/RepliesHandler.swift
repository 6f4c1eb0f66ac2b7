import Contracts
import Engine
import FleetRuntime
import FoundationEssentials
import SagaCore

/// What the workers answer: each reply is an input of its saga.
package struct RepliesHandler<Store: SagaStore>: BatchHandler where Store.Definition: PurchaseDefinition {
    let purchases: PurchaseProgress<Store>

    package init(purchases: PurchaseProgress<Store>) {
        self.purchases = purchases
    }

    private enum Reading {
        case event(SagaEvent<PurchaseInput>)
        case outcome(Outcome)
    }

    package func handle(_ batch: [Envelope]) async throws -> [Outcome] {
        let readings = batch.map(read)
        let events = readings.compactMap { if case .event(let event) = $0 { event } else { nil } }
        var results = try await purchases.advance(events).makeIterator()
        return readings.map { reading in
            switch reading {
            case .outcome(let outcome): outcome
            case .event:
                switch results.next() {
                case .taken(_, let messages), .repeated(_, let messages): .reply(messages)
                case .ignored: .reply([])
                case .unknownSaga: .retry(after: .seconds(1), reason: "no saga has this id")
                case nil: preconditionFailure("the runner left out a result")
                }
            }
        }
    }

    private func read(_ envelope: Envelope) -> Reading {
        guard let saga = envelope.sagaID else {
            return .outcome(.deadLetter(reason: DeadLetterReason.missingSaga))
        }
        do {
            guard let input = try Store.Definition.input(from: envelope) else {
                return .outcome(.deadLetter(reason: DeadLetterReason.unexpectedKind(envelope.kind)))
            }
            return .event(
                SagaEvent(
                    sagaID: saga, messageID: envelope.id, input: input, answeredStep: envelope.step,
                    traceparent: envelope.traceparent))
        } catch {
            return .outcome(.deadLetter(reason: DeadLetterReason.malformedBody(error)))
        }
    }
}
