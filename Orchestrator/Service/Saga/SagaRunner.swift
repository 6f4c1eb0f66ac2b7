import Contracts
import CoreMetrics
import FleetRuntime
import FoundationEssentials
import Logging
import SagaCore

/// The only shell around the pure saga: locks rows, steps each, writes rows and journal, commits.
///
/// It publishes nothing; whoever calls it sends the messages it returns and, when it has an input message, acknowledges
/// that afterwards. A crash between leaves the work to a repeat of the input, or to the watchdog.
package struct SagaRunner<Store: SagaStore>: Sendable {
    package typealias Definition = Store.Definition

    let store: Store
    let patience: SagaPatience
    let logger: Logger
    let meters = SagaMeters()

    package init(store: Store, patience: SagaPatience, logger: Logger) {
        self.store = store
        self.patience = patience
        self.logger = logger
    }

    /// Applies events in order, several to one saga if they come together; one result per event.
    package func advance(_ events: [SagaEvent<Definition.Input>]) async throws -> [SagaResult<Definition>] {
        let sagas = Array(Set(events.map(\.sagaID)))
        let messages = events.map(\.messageID)
        let results = try await store.transact { transaction in
            var work = SagaWork(try await store.lock(sagas, messages, in: transaction))
            let results = try events.map { try work.apply($0, patience: patience) }
            try await store.save(work.changed, work.journal, in: transaction)
            return results
        }
        report(events, results)
        return results
    }

    /// Wakes sagas whose time has come; returns the messages that go out again, and how many sagas were looked at.
    package func wake(_ limit: Int) async throws -> (messages: [OutgoingMessage], sagas: Int) {
        try await store.transact { transaction in
            let due = try await store.due(limit, in: transaction)
            var messages: [OutgoingMessage] = []
            var journal: [JournalEntry<Definition>] = []
            var changed: [SagaRecord<Definition>] = []
            for var saga in due.sagas.values.sorted(by: { $0.id < $1.id }) {
                switch saga.wake(at: due.now, patience: patience) {
                case .tooEarly: break
                case .redriven(let effects):
                    meters.countRedrive()
                    messages += try saga.messages(effects, causedBy: nil, at: due.now)
                case .moved(let entry):
                    meters.count(entry.input.name)
                    journal.append(entry)
                    messages += try saga.messages(entry.effects, causedBy: entry.messageID, at: due.now)
                }
                changed.append(saga)
            }
            try await store.save(changed, journal, in: transaction)
            return (messages, due.sagas.count)
        }
    }

    private func report(_ events: [SagaEvent<Definition.Input>], _ results: [SagaResult<Definition>]) {
        for (event, result) in zip(events, results) {
            switch result {
            case .taken: meters.count(event.input.name)
            case .repeated: meters.countRepeat()
            case .ignored(.impossible, let state):
                meters.countImpossible()
                logger.error(
                    "an input that no correct fleet sends",
                    metadata: ["saga": "\(event.sagaID)", "input": "\(event.input.name)", "state": "\(state.tag)"])
            case .ignored(let reason, let state):
                logger.debug(
                    "ignored",
                    metadata: [
                        "saga": "\(event.sagaID)", "input": "\(event.input.name)", "state": "\(state.tag)",
                        "reason": "\(reason.rawValue)",
                    ])
            case .unknownSaga: break
            }
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
    /// The messages of the effects, in order.
    package func messages(
        _ effects: [Definition.Effect], causedBy cause: MessageID?, at now: Date
    ) throws -> [OutgoingMessage] {
        let view = view(causedBy: cause, at: now)
        return try effects.flatMap { try Definition.messages(for: $0, of: view) }
    }
}
