import Contracts
import Engine
import FleetStorage
import FoundationEssentials
import SagaCore

/// A wish to turn a purchase back, as a message brought it.
struct CancelRequest: Sendable {
    let saga: SagaID
    let event: SagaEvent<PurchaseInput>
    let record: RequestRecord

    /// Throws a problem for a body that makes no sense.
    init(_ envelope: Envelope) throws(Problem) {
        let command = try StrictBody.read(CancelPurchase.self, from: envelope.body, fields: CancelPurchase.fields)
        saga = command.sagaId
        event = SagaEvent(
            sagaID: command.sagaId, messageID: envelope.id, input: .cancelRequested, answeredStep: nil,
            traceparent: envelope.traceparent)
        record = RequestRecord(
            key: envelope.key, kind: .purchaseCancel, fingerprint: try Fingerprint.of(command),
            subject: command.sagaId.uuid, answer: .pending)
    }
}

/// The answer to a cancel.
enum CancelAnswer: Sendable {
    /// It will be done; these messages carry it out.
    case taken([OutgoingMessage])
    case rejected(Problem)
}

/// Turns purchases back for upstream systems, to whom silence says that it will be done.
///
/// A cancel takes its id before anything happens, so an id that belongs to another request is refused with nothing done.
struct Cancellation<Store: SagaStore>: Sendable where Store.Definition: PurchaseDefinition {
    let purchases: PurchaseProgress<Store>
    let requests: any RequestStore

    init(_ purchases: PurchaseProgress<Store>, _ requests: any RequestStore) {
        self.purchases = purchases
        self.requests = requests
    }

    /// One answer per cancel, in order; the first answer to an id is its answer.
    func answer(_ cancels: [CancelRequest]) async throws -> [CancelAnswer] {
        guard !cancels.isEmpty else { return [] }
        let records = try await requests.take(cancels.map(\.record))
        let isOurs = zip(cancels, records).map { $1.problem(for: $0.record) == nil }
        var results = try await purchases.advance(zip(cancels, isOurs).filter(\.1).map(\.0.event)).makeIterator()
        let answers: [CancelAnswer] = zip(cancels, records).map { cancel, record in
            if let problem = record.problem(for: cancel.record) { return .rejected(problem) }
            switch results.next() {
            case .taken(_, let messages), .repeated(_, let messages): return .taken(messages)
            case .ignored(_, let state):
                // What was answered once with silence is not rejected later, when the purchase has ended by it.
                guard record.answer == .pending, let problem = CancelRules.problem(in: state, of: cancel.saga) else {
                    return .taken([])
                }
                return .rejected(problem)
            case .unknownSaga: return .rejected(Problem(.notFound, "there is no saga \(cancel.saga)"))
            case nil: preconditionFailure("the runner left out a result")
            }
        }
        try await requests.answer(
            zip(records, answers).filter { $0.0.answer == .pending }.map { record, answer in
                switch answer {
                case .taken: record.answered(.accepted)
                case .rejected(let problem): record.answered(.rejected(problem))
                }
            })
        return answers
    }
}
