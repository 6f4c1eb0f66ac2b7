import Connections
import Contracts
import FleetRuntime
import FoundationEssentials
import SagaCore

/// A wish to begin a saga, from HTTP or AMQP.
package struct StartRequest<Definition: SagaDefinition>: Sendable {
    package let id: SagaID
    package let messageID: MessageID
    package let input: Definition.Input
    package let request: Definition.Request
    package let claim: StartClaim
    package let traceparent: String?

    package init(
        id: SagaID, messageID: MessageID, input: Definition.Input, request: Definition.Request, claim: StartClaim,
        traceparent: String?
    ) {
        self.id = id
        self.messageID = messageID
        self.input = input
        self.request = request
        self.claim = claim
        self.traceparent = traceparent
    }
}

/// What became of a wish to begin a saga.
package enum StartResult: Sendable {
    /// It begins, in the state of this tag.
    case started(SagaID, [OutgoingMessage], state: String)
    /// The same start came before, and its saga stands in the state of this tag; what must not be lost of its first step
    /// goes out again.
    case repeated(SagaID, [OutgoingMessage], state: String)
    /// The key was used for something else.
    case keyReused(SagaID)
    /// Another open saga is about the same thing.
    case inProgress(SagaID)
}

extension SagaRunner {
    /// How often a batch is begun again because what stood in the way ended while it was looked at.
    private static var startAttempts: Int { 5 }

    /// Begins sagas, a batch in one transaction; one result per request.
    /// - Throws: `ConcurrentRepeat` when purchases that were in the way keep ending in the middle.
    package func start(_ requests: [StartRequest<Definition>]) async throws -> [StartResult] {
        if let results = try await startAsNew(requests) { return results }
        for _ in 1..<Self.startAttempts {
            do {
                return try await startOnce(requests)
            } catch is ConcurrentRepeat {
                continue
            }
        }
        return try await startOnce(requests)
    }

    /// Begins sagas in one round trip; nil, and nothing has happened, when something stands in the way of one of them.
    private func startAsNew(_ requests: [StartRequest<Definition>]) async throws -> [StartResult]? {
        let now = World.date
        let fresh = try requests.map { try begin($0, at: now) }
        let journal = fresh.map(\.entry)
        do {
            try await store.transact { try await store.begin(fresh.map(\.saga), journal, in: $0) }
        } catch is ConcurrentRepeat {
            return nil
        }
        meters.record(journal)
        return try fresh.map { try result($0.saga.record, $0.entry, .started, [:], at: now) }
    }

    private func startOnce(_ requests: [StartRequest<Definition>]) async throws -> [StartResult] {
        let (results, journal) = try await store.transact { transaction in
            let now = World.date
            let fresh = try requests.map { try begin($0, at: now) }
            let insertion = try await store.insert(fresh.map(\.saga), in: transaction)
            let conflicts = StartConflicts(insertion)
            let outcomes = try requests.map { try conflicts.outcome(of: $0.id, $0.claim) }
            let journal = zip(fresh, outcomes).compactMap { $1 == .started ? $0.entry : nil }
            let repeats = outcomes.compactMap { if case .repeated(let id) = $0 { id } else { nil } }
            let stored = repeats.isEmpty ? [:] : try await store.lock(repeats, [], in: transaction).sagas
            try await store.save([], journal, in: transaction)
            let results = try zip(fresh, outcomes).map { try result($0.saga.record, $0.entry, $1, stored, at: now) }
            return (results, journal)
        }
        meters.record(journal)
        meters.count(ignored: [:], repeated: results.count { if case .repeated = $0 { true } else { false } })
        return results
    }

    private func begin(
        _ request: StartRequest<Definition>, at now: Date
    ) throws -> (saga: NewSaga<Definition>, entry: JournalEntry<Definition>) {
        let event = SagaEvent(
            sagaID: request.id, messageID: request.messageID, input: request.input, answeredStep: nil,
            traceparent: request.traceparent)
        guard
            let (record, entry) = SagaRecord<Definition>.starting(
                request.id, by: event, request: request.request, at: now, patience: patience)
        else { throw NoFirstStep(input: request.input.name) }
        return (NewSaga(record: record, claim: request.claim), entry)
    }

    private func result(
        _ record: SagaRecord<Definition>, _ entry: JournalEntry<Definition>, _ outcome: StartConflicts.Outcome,
        _ stored: [SagaID: SagaRecord<Definition>], at now: Date
    ) throws -> StartResult {
        switch outcome {
        case .started:
            return .started(
                record.id, try record.messages(entry.effects, causedBy: entry.messageID, at: now, after: 0, patience),
                state: record.state.tag)
        case .repeated(let id):
            let known = stored[id]
            return .repeated(
                id, try known?.repeats(ofStart: entry, answeredAs: record.request, at: now, patience) ?? [],
                state: (known ?? record).state.tag)
        case .keyReused(let id): return .keyReused(id)
        case .inProgress(let id): return .inProgress(id)
        }
    }
}

/// A definition that refuses its own start is a bug of ours.
struct NoFirstStep: Error {
    let input: String
}

/// Sagas in the way of new ones, by what they hold.
struct StartConflicts {
    enum Outcome: Equatable {
        case started
        case repeated(SagaID)
        case keyReused(SagaID)
        case inProgress(SagaID)
    }

    private let added: Set<SagaID>
    private var byKey: [ExactText: StartConflict] = [:]
    private var byIntent: [ExactText: SagaID] = [:]

    init(_ insertion: SagaInsertion) {
        added = insertion.added
        for conflict in insertion.conflicts {
            if let key = conflict.key { byKey[ExactText(key)] = conflict }
            if let intent = conflict.intent { byIntent[ExactText(intent)] = conflict.existing }
        }
    }

    /// - Throws: `ConcurrentRepeat` for a saga that was left out when what stood in its way has ended since.
    func outcome(of id: SagaID, _ claim: StartClaim) throws -> Outcome {
        if added.contains(id) { return .started }
        if let key = claim.key, let conflict = byKey[ExactText(key)] {
            return conflict.fingerprint == claim.fingerprint
                ? .repeated(conflict.existing) : .keyReused(conflict.existing)
        }
        guard let intent = claim.intent, let existing = byIntent[ExactText(intent)] else { throw ConcurrentRepeat() }
        return .inProgress(existing)
    }
}
