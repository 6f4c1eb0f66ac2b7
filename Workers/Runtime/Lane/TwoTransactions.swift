import Contracts

/// Decides commands that need the world outside our database, such as a payment provider.
///
/// A crash after the call leaves the attempt without an inbox row; the repeat finds the attempt and resumes it.
package protocol OutsideHandler<Transaction>: Sendable {
    associatedtype Transaction: Sendable
    associatedtype Attempt: Sendable
    associatedtype Result: Sendable
    /// Records what is about to be tried, with its idempotency keys; committed before any call.
    func prepare(_ batch: [Envelope], in transaction: Transaction) async throws -> [Attempt]
    /// Calls the outside, bounded in number and time; a failed call is a result, not an error.
    func carryOut(_ attempts: [Attempt]) async -> [Result]
    /// Records the results; one outcome per envelope, in order.
    func conclude(_ batch: [Envelope], _ results: [Result], in transaction: Transaction) async throws -> [Outcome]
}

/// Makes an outside handler's effects happen once: record the attempt, commit, call, record the result, commit.
package struct TwoTransactions<Handler: OutsideHandler, Book: Ledger>: BatchHandler
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
        let (recorded, fresh, attempts) = try await ledger.transact { transaction in
            let recorded = try await ledger.recordedReplies(to: sorting.ids, in: transaction)
            let fresh = sorting.fresh(knowing: recorded)
            return (recorded, fresh, fresh.isEmpty ? [] : try await handler.prepare(fresh, in: transaction))
        }
        repeats.count(batch.count - fresh.count)
        guard !fresh.isEmpty else { return sorting.outcomes(recorded: recorded, fresh: [], []) }
        let results = await handler.carryOut(attempts)
        let outcomes = try await ledger.transact { transaction in
            let outcomes = try await handler.conclude(fresh, results, in: transaction)
            try await ledger.record(handledMessages(fresh, outcomes), in: transaction)
            return outcomes
        }
        return sorting.outcomes(recorded: recorded, fresh: fresh, outcomes)
    }
}
