import Contracts
import Postgres

/// Decides commands that need the world outside our database, such as a payment provider.
///
/// A crash after the call leaves the attempt without an inbox row; the repeat finds the attempt and resumes it.
package protocol ExternalCallHandler<Transaction>: Sendable {
    associatedtype Transaction: Sendable
    associatedtype Attempt: Sendable
    associatedtype Result: Sendable
    /// Records and commits, in one go, what is about to be tried for a batch of which nothing has come before; nil if
    /// something may have.
    func open(_ batch: [Envelope], in transaction: Transaction) async throws -> [Attempt]?
    /// Records what is about to be tried, with its idempotency keys; committed before any call.
    func prepare(_ batch: [Envelope], in transaction: Transaction) async throws -> [Attempt]
    /// Calls the outside, bounded in number and time; a failed call is a result, not an error.
    func carryOut(_ attempts: [Attempt]) async -> [Result]
    /// Records the results; one outcome per envelope, in order.
    /// - Parameter isUndisturbed: whether to rely on what was prepared; then `OptimisticLockFailure`, here or at the commit, says that
    ///   somebody else has changed it, and the conclusion is drawn again without relying on it.
    func conclude(
        _ batch: [Envelope], _ results: [Result], isUndisturbed: Bool, in transaction: Transaction
    ) async throws -> [Outcome]
}

extension ExternalCallHandler {
    package func open(_ batch: [Envelope], in transaction: Transaction) async throws -> [Attempt]? { nil }
}

/// Makes an outside handler's effects happen once: record the attempt, commit, call, record the result, commit.
package struct ExternalCallConsumer<Handler: ExternalCallHandler, Book: InboxStore>: BatchHandler
where Handler.Transaction == Book.Transaction {
    let handler: Handler
    let ledger: Book
    let repeats = Metric.messagesRepeated.counter()

    package init(_ handler: Handler, ledger: Book) {
        self.handler = handler
        self.ledger = ledger
    }

    package func handle(_ batch: [Envelope]) async throws -> [Outcome] {
        let sorting = Sorting(batch)
        let (recorded, fresh, attempts) = try await prepare(sorting)
        repeats.count(batch.count - fresh.count)
        guard !fresh.isEmpty else { return sorting.outcomes(recorded: recorded, fresh: [], []) }
        let results = await handler.carryOut(attempts)
        return sorting.outcomes(recorded: recorded, fresh: fresh, try await conclude(fresh, results))
    }

    private typealias Prepared = (recorded: [MessageID: [OutgoingMessage]], fresh: [Envelope], [Handler.Attempt])

    private func prepare(_ sorting: Sorting) async throws -> Prepared {
        let fresh = sorting.fresh(knowing: [:])
        if let attempts = try await ledger.transact({ try await handler.open(fresh, in: $0) }) {
            return ([:], fresh, attempts)
        }
        return try await ledger.transact { transaction in
            let recorded = try await ledger.recordedReplies(to: sorting.ids, in: transaction)
            let fresh = sorting.fresh(knowing: recorded)
            return (recorded, fresh, fresh.isEmpty ? [] : try await handler.prepare(fresh, in: transaction))
        }
    }

    /// Records the results of what was prepared, whoever has touched it meanwhile.
    package func conclude(_ fresh: [Envelope], _ results: [Handler.Result]) async throws -> [Outcome] {
        do {
            return try await conclude(fresh, results, isUndisturbed: true)
        } catch is OptimisticLockFailure {
            return try await conclude(fresh, results, isUndisturbed: false)
        }
    }

    private func conclude(
        _ fresh: [Envelope], _ results: [Handler.Result], isUndisturbed: Bool
    ) async throws -> [Outcome] {
        try await ledger.transact { transaction in
            let outcomes = try await handler.conclude(
                fresh, results, isUndisturbed: isUndisturbed, in: transaction)
            try await ledger.record(handledMessages(fresh, outcomes), in: transaction)
            return outcomes
        }
    }
}
