import Connections
import Contracts
import CoreMetrics
import FleetRuntime
import FoundationEssentials
import Logging
import SagaCore

/// The only shell around the pure saga: reads rows, steps each, writes rows and journal, commits.
///
/// It publishes nothing; whoever calls it sends the messages it returns and, when it has an input message, acknowledges
/// that afterwards. A crash between leaves the work to a repeat of the input, or to the watchdog.
///
/// Its entry points are also compiled for the saga kind that the fleet runs most: the compiler specializes no generic code
/// across modules, and the general form took about a third more of the CPU.
package struct SagaRunner<Store: SagaStore>: Sendable {
    package typealias Definition = Store.Definition

    let store: Store
    let patience: RetryPolicy
    let logger: Logger
    let meters: SagaMeters

    /// - Parameter meters: one for all runners of a process, because one may begin a saga and another end it.
    package init(store: Store, patience: RetryPolicy, meters: SagaMeters = SagaMeters(), logger: Logger) {
        self.store = store
        self.patience = patience
        self.meters = meters
        self.logger = logger
    }

    /// Applies events in order, several to one saga if they come together; one result per event.
    @_specialize(where Store == PostgresSagaStore<PurchaseSaga>)
    package func advance(_ events: [SagaEvent<Definition.Input>]) async throws -> [SagaResult<Definition>] {
        let (results, journal) =
            if let steps = try await advanceRemembered(events) { steps } else { try await advanceLocked(events) }
        meters.record(journal)
        report(events, results)
        return results
    }

    private typealias Steps = (results: [SagaResult<Definition>], journal: [JournalEntry<Definition>])

    /// Applies events to sagas as this process remembers them, in one round trip, and writes only if they still are so.
    ///
    /// Nil, and nothing has happened, when one of the sagas is not remembered or has been moved on by somebody else, or
    /// when an event is not taken: it may be a repeat, and only the journal knows.
    private func advanceRemembered(_ events: [SagaEvent<Definition.Input>]) async throws -> Steps? {
        guard let sagas = store.recall(Array(Set(events.map(\.sagaID)))) else { return nil }
        var work = SagaWork(LockedSagas(sagas: sagas, journal: [:], now: RuntimeEnvironment.date))
        let results = try events.map { try work.apply($0, patience: patience) }
        guard results.allSatisfy({ if case .taken = $0 { true } else { false } }) else { return nil }
        do {
            try await store.transact { [work] in try await store.save(work.changes, work.journal, in: $0) }
        } catch is DuplicateMessage {
            return nil
        }
        return (results, work.journal)
    }

    private func advanceLocked(_ events: [SagaEvent<Definition.Input>]) async throws -> Steps {
        let sagas = Array(Set(events.map(\.sagaID)))
        let messages = events.map(\.key)
        return try await store.transact { transaction in
            var work = SagaWork(try await store.lock(sagas, messages, in: transaction))
            let results = try events.map { try work.apply($0, patience: patience) }
            try await store.save(work.changes, work.journal, in: transaction)
            return (results, work.journal)
        }
    }

    /// Wakes sagas whose time has come; returns the messages that go out again, and how many sagas were looked at.
    @_specialize(where Store == PostgresSagaStore<PurchaseSaga>)
    package func wake(_ limit: Int) async throws -> (messages: [OutgoingMessage], sagas: Int) {
        let (messages, journal, redriven, sagas) = try await store.transact { transaction in
            let due = try await store.due(limit, in: transaction)
            var messages: [OutgoingMessage] = []
            var journal: [JournalEntry<Definition>] = []
            var changes: [SagaChange<Definition>] = []
            var redriven = 0
            for before in due.sagas.values.sorted(by: { $0.id < $1.id }) {
                var saga = before
                switch saga.wake(at: due.now, patience: patience) {
                case .tooEarly: break
                case .redriven(let effects):
                    redriven += 1
                    messages += try saga.messages(
                        effects, causedBy: nil, at: due.now, after: saga.attempts, patience)
                case .moved(let entry):
                    journal.append(entry)
                    messages += try saga.messages(
                        entry.effects, causedBy: entry.messageID, at: due.now, after: before.attempts, patience)
                }
                changes.append(SagaChange(from: before, to: saga))
            }
            try await store.save(changes, journal, in: transaction)
            return (messages, journal, redriven, due.sagas.count)
        }
        meters.record(journal)
        meters.count(redriven: redriven)
        return (messages, sagas)
    }

    private func report(_ events: [SagaEvent<Definition.Input>], _ results: [SagaResult<Definition>]) {
        var ignored: [String: Int] = [:]
        var repeated = 0
        for (event, result) in zip(events, results) {
            switch result {
            case .taken, .unknownSaga: break
            case .repeated: repeated += 1
            case .ignored(let reason, let state):
                ignored[reason.rawValue, default: 0] += 1
                tell(of: event, reason, state)
            }
        }
        meters.count(ignored: ignored, repeated: repeated)
    }

    private func tell(of event: SagaEvent<Definition.Input>, _ reason: IgnoreReason, _ state: Definition.State) {
        func facts() -> Logger.Metadata {
            var facts: Logger.Metadata = [
                "saga": "\(event.sagaID)", "messageId": "\(event.messageID)", "input": "\(event.input.name)",
                "state": "\(state.tag)", "reason": "\(reason.rawValue)",
            ]
            if let trace = event.traceparent { facts["trace"] = "\(TraceContext.traceID(of: trace))" }
            return facts
        }
        switch reason {
        case .impossible: logger.error("an input that no correct fleet sends", metadata: facts())
        case .duplicate, .late: logger.debug("ignored", metadata: facts())
        }
    }
}

/// What became of one event.
package enum SagaResult<Definition: SagaDefinition>: Sendable {
    /// The saga took it and stands like this now; these messages carry out its effects.
    case taken(SagaRecord<Definition>, [OutgoingMessage])
    /// It was taken before; what must not be lost goes out again.
    case repeated(SagaRecord<Definition>, [OutgoingMessage])
    case ignored(IgnoreReason, in: Definition.State)
    case unknownSaga
}

extension SagaRecord {
    /// The messages of the effects, in order, after so many attempts at the step that they begin, repeat or end.
    package func messages(
        _ effects: [Definition.Effect], causedBy cause: MessageID?, at now: Date, after attempts: Int,
        _ patience: RetryPolicy
    ) throws -> [OutgoingMessage] {
        let view = view(causedBy: cause, at: now, after: attempts, patience)
        return try effects.flatMap { try Definition.messages(for: $0, of: view) }
    }
}
