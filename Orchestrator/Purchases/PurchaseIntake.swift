import Connections
import Contracts
import Engine
import FleetRuntime
import FoundationEssentials
import SagaCore

/// Gathers concurrent HTTP requests into batches for the desk and the runner.
///
/// A request is answered when its batch is committed; its messages follow, and the watchdog stands behind them.
package struct PurchaseIntake<Definition: PurchaseDefinition>: Sendable {
    private let starts: Coalescer<StartAsk, StartAnswer>
    private let events: Coalescer<SagaEvent<PurchaseInput>, SagaResult<Definition>>
    private let dispatcher: Dispatcher

    /// - Parameter executor: where starts had better be decided, such as the thread of the desk's connection.
    package init<Store: SagaStore>(
        desk: PurchaseAdmission<Store>, progress: PurchaseProgress<Store>, dispatcher: Dispatcher, batch: Int,
        on executor: (any TaskExecutor)? = nil
    ) where Store.Definition == Definition {
        self.dispatcher = dispatcher
        starts = Coalescer(limit: batch, on: executor) { asks in
            await Self.settle(asks.count) {
                let answers = try await desk.start(asks)
                FaultPoint.startsCommitted.pass()
                dispatcher.send(answers.flatMap(\.messages))
                return answers
            }
        }
        events = Coalescer(limit: batch) { events in
            await Self.settle(events.count) {
                let results = try await progress.advance(events)
                dispatcher.send(results.flatMap(\.messages))
                return results
            }
        }
    }

    /// - Throws: `Overloaded` while messages wait for a broker that does not take them.
    package func start(_ ask: StartAsk) async throws -> StartAnswer {
        guard dispatcher.hasRoom else { throw Overloaded() }
        return try await starts.submit(ask)
    }

    package func advance(_ event: SagaEvent<PurchaseInput>) async throws -> SagaResult<Definition> {
        try await events.submit(event)
    }

    /// One failure is everybody's: nothing of the batch was committed.
    private static func settle<Answer: Sendable>(
        _ count: Int, _ work: () async throws -> [Answer]
    ) async -> [Result<Answer, any Error>] {
        do {
            return try await work().map { .success($0) }
        } catch {
            return Array(repeating: .failure(error), count: count)
        }
    }
}

extension StartAnswer {
    fileprivate var messages: [OutgoingMessage] {
        switch self {
        case .accepted(_, let messages, _): messages
        case .rejected: []
        }
    }
}

extension SagaResult {
    fileprivate var messages: [OutgoingMessage] {
        switch self {
        case .taken(_, let messages), .repeated(_, let messages): messages
        case .ignored, .unknownSaga: []
        }
    }
}
