import Connections
import Contracts
import FleetRuntime
import FleetStorage
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
    /// Nothing begins: another saga is about the same thing, the key belongs to another request, or the same start was
    /// rejected before, for this reason.
    case rejected(Problem)
}

/// A start that came before.
package struct RepeatedStart<Definition: SagaDefinition>: Sendable {
    package let saga: SagaID
    /// Makes of the saga's request the one that came now, which may want to be answered elsewhere.
    package let answered: @Sendable (Definition.Request) -> Definition.Request

    package init(saga: SagaID, answered: @escaping @Sendable (Definition.Request) -> Definition.Request) {
        self.saga = saga
        self.answered = answered
    }
}

extension SagaRunner {
    /// How often a batch is begun again because what stood in the way ended while it was looked at.
    private static var startAttempts: Int { 5 }

    /// Begins sagas, a batch in one transaction; one result per request.
    /// - Throws: `DuplicateMessage` when purchases that were in the way keep ending in the middle.
    @_specialize(where Store == PostgresSagaStore<PurchaseSaga>)
    package func start(_ requests: [StartRequest<Definition>]) async throws -> [StartResult] {
        guard !requests.isEmpty else { return [] }
        if let results = try await startAsNew(requests) { return results }
        for _ in 1..<Self.startAttempts {
            do {
                return try await startOnce(requests)
            } catch is DuplicateMessage {
                continue
            }
        }
        return try await startOnce(requests)
    }

    /// Answers starts that came before, by the sagas that they began; nil where there is none.
    package func repeatStarts(
        _ starts: [RepeatedStart<Definition>], by input: Definition.Input
    ) async throws -> [StartResult?] {
        guard !starts.isEmpty else { return [] }
        let sagas = Array(Set(starts.map(\.saga)))
        let stored = try await store.transact { try await store.lock(sagas, [], in: $0).sagas }
        meters.count(ignored: [:], repeated: starts.count)
        return try starts.map { start in
            try stored[start.saga].map { saga in
                .repeated(
                    saga.id,
                    try saga.repeatsOfStart(by: input, answered: start.answered, at: RuntimeEnvironment.date, patience),
                    state: saga.state.tag)
            }
        }
    }

    /// Begins sagas in one round trip; nil, and nothing has happened, when something stands in the way of one of them.
    private func startAsNew(_ requests: [StartRequest<Definition>]) async throws -> [StartResult]? {
        let now = RuntimeEnvironment.date
        let fresh = try requests.map { try begin($0, at: now) }
        let journal = fresh.map(\.entry)
        do {
            try await store.transact { try await store.begin(fresh.map(\.saga), journal, in: $0) }
        } catch is DuplicateMessage {
            return nil
        }
        meters.record(journal)
        return try fresh.map { try started($0.saga.record, $0.entry, at: now) }
    }

    private func startOnce(_ requests: [StartRequest<Definition>]) async throws -> [StartResult] {
        let (results, journal) = try await store.transact { transaction in
            let now = RuntimeEnvironment.date
            let fresh = try requests.map { try begin($0, at: now) }
            let conflicts = StartConflicts(
                try await store.insert(fresh.map(\.saga), in: transaction), fresh.map(\.saga))
            let outcomes = try requests.map { try conflicts.outcome(of: $0.id, $0.claim) }
            let rejected = zip(requests, outcomes).compactMap { conflicts.rejection(of: $0, $1) }
            if !rejected.isEmpty { try await store.reject(rejected, in: transaction) }
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

    private func started(
        _ record: SagaRecord<Definition>, _ entry: JournalEntry<Definition>, at now: Date
    ) throws -> StartResult {
        .started(
            record.id, try record.messages(entry.effects, causedBy: entry.messageID, at: now, after: 0, patience),
            state: record.state.tag)
    }

    private func result(
        _ record: SagaRecord<Definition>, _ entry: JournalEntry<Definition>, _ outcome: StartConflicts.Outcome,
        _ stored: [SagaID: SagaRecord<Definition>], at now: Date
    ) throws -> StartResult {
        switch outcome {
        case .started: return try started(record, entry, at: now)
        case .repeated(let id):
            let known = stored[id]
            return .repeated(
                id, try known?.repeats(ofStart: entry, answeredAs: record.request, at: now, patience) ?? [],
                state: (known ?? record).state.tag)
        case .keyReused(let id): return .rejected(.keyReused(by: id))
        case .inProgress(let id): return .rejected(.inProgress(id))
        case .rejected(let problem): return .rejected(problem)
        }
    }
}

extension SagaRecord {
    /// What must not be lost of the saga's first step.
    fileprivate func repeatsOfStart(
        by input: Definition.Input, answered: (Definition.Request) -> Definition.Request, at now: Date,
        _ patience: RetryPolicy
    ) throws -> [OutgoingMessage] {
        guard case .move(let state, let effects) = Definition.step(nil, on: input) else {
            throw NoFirstStep(input: input.name)
        }
        let entry = JournalEntry<Definition>(
            sagaID: id, version: 1, messageID: .derived(from: id.uuid, "start"), input: input, from: nil, to: state,
            step: 1, effects: effects, at: now, traceparent: traceparent)
        return try repeats(ofStart: entry, answeredAs: answered(request), at: now, patience)
    }
}

extension Problem {
    fileprivate static func inProgress(_ saga: SagaID) -> Problem {
        Problem(.purchaseInProgress, "a purchase of this user for this event is under way", sagaId: saga)
    }
}

/// A definition that refuses its own start is a bug of ours.
struct NoFirstStep: Error {
    let input: String
}

/// What stands in the way of new sagas.
struct StartConflicts {
    enum Outcome: Equatable {
        case started
        case repeated(SagaID)
        case keyReused(SagaID?)
        case inProgress(SagaID)
        case rejected(Problem)
    }

    private let insertion: SagaInsertion
    /// Those of this batch that did not come to be; a record that names one of them says nothing yet.
    private let leftOut: Set<UUID?>

    init<Definition>(_ insertion: SagaInsertion, _ sagas: [NewSaga<Definition>]) {
        self.insertion = insertion
        leftOut = Set(sagas.map(\.record.id).filter { !insertion.added.contains($0) }.map(\.uuid))
    }

    /// - Throws: `DuplicateMessage` for a saga that was left out when what stood in its way has ended since.
    func outcome(of id: SagaID, _ claim: StartClaim) throws -> Outcome {
        if insertion.added.contains(id) { return .started }
        if let key = claim.key, let record = insertion.requests[ExactText(key)] {
            guard record.fingerprint == claim.fingerprint else {
                return .keyReused(record.kind == .purchaseStart ? record.subject.map(SagaID.init) : nil)
            }
            if case .rejected(let problem) = record.answer { return .rejected(problem) }
            if let saga = record.subject, !leftOut.contains(saga) { return .repeated(SagaID(saga)) }
        }
        guard let intent = claim.intent, let existing = insertion.intents[ExactText(intent)] else {
            throw DuplicateMessage()
        }
        return .inProgress(existing)
    }

    /// What is recorded of a start that holds its key and begins nothing.
    func rejection<Definition>(of start: StartRequest<Definition>, _ outcome: Outcome) -> RequestRecord? {
        guard case .inProgress(let saga) = outcome, insertion.turnedAway.contains(start.id) else { return nil }
        return start.claim.record(of: nil, .rejected(.inProgress(saga)))
    }
}
