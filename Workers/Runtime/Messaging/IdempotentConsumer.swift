import Contracts
import Postgres

/// Decides fresh commands inside a transaction that somebody else began and commits.
package protocol CommandHandler<Transaction>: Sendable {
    associatedtype Transaction: Sendable
    /// One outcome per envelope, in order; all effects go through `transaction`.
    func handle(_ batch: [Envelope], in transaction: Transaction) async throws -> [Outcome]
}

/// The database of a worker as the lane sees it: transactions, and the inbox with its recorded replies.
package protocol InboxStore<Transaction>: Sendable {
    associatedtype Transaction: Sendable
    func transact<R: Sendable>(_ body: (Transaction) async throws -> R) async throws -> R
    /// The replies of those messages that were handled before.
    func recordedReplies(to ids: [MessageID], in transaction: Transaction) async throws -> [MessageID:
        [OutgoingMessage]]
    /// Notes messages as handled, with what followed from them, as the last act of the transaction, and commits it.
    /// - Throws: `DuplicateMessage` when one of them was noted before, perhaps by another replica at this moment.
    func record(_ handled: [HandledMessage], in transaction: Transaction) async throws
}

/// An inbox row to be.
package struct HandledMessage: Sendable {
    package let id: MessageID
    package let replies: [OutgoingMessage]

    package init(id: MessageID, replies: [OutgoingMessage]) {
        self.id = id
        self.replies = replies
    }
}

/// Makes a command handler's effects happen once: begin, handle, record in the inbox, commit.
///
/// Nearly every message comes once, so a batch is decided as if all of it were new; the inbox refuses what is not, and
/// only then is looked at.
package struct IdempotentConsumer<Handler: CommandHandler, Book: InboxStore>: BatchHandler
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
        if let outcomes = try await handleAsNew(sorting) { return outcomes }
        let (fresh, outcomes) = try await ledger.transact { transaction in
            let recorded = try await ledger.recordedReplies(to: sorting.ids, in: transaction)
            let fresh = sorting.fresh(knowing: recorded)
            let outcomes = fresh.isEmpty ? [] : try await handler.handle(fresh, in: transaction)
            try await ledger.record(handledMessages(fresh, outcomes), in: transaction)
            return (fresh.count, sorting.outcomes(recorded: recorded, fresh: fresh, outcomes))
        }
        repeats.count(batch.count - fresh)
        return outcomes
    }

    /// Nil, and nothing has happened, when something of the batch may have come before, or cannot be decided.
    private func handleAsNew(_ sorting: Sorting) async throws -> [Outcome]? {
        let fresh = sorting.fresh(knowing: [:])
        do {
            let outcomes = try await ledger.transact { transaction in
                let outcomes = try await handler.handle(fresh, in: transaction)
                guard outcomes.allSatisfy(\.leavesInboxRow) else { throw Doubt() }
                try await ledger.record(handledMessages(fresh, outcomes), in: transaction)
                return outcomes
            }
            repeats.count(sorting.batch.count - fresh.count)
            return sorting.outcomes(recorded: [:], fresh: fresh, outcomes)
        } catch let error as any RecoverableFailure where error.isTransient && !(error is DuplicateMessage) {
            throw error
        } catch {
            // Whatever else is wrong shows again when the batch is decided with what the inbox knows.
            return nil
        }
    }
}

/// The inbox did not say whether a message is new, for nothing would be written there.
private struct Doubt: Error {}

extension Outcome {
    fileprivate var leavesInboxRow: Bool {
        switch self {
        case .reply: true
        case .retry, .deadLetter: false
        }
    }
}

/// Pairs each handled message with its replies; what will be retried or was deadLettered leaves no inbox row.
func handledMessages(_ envelopes: [Envelope], _ outcomes: [Outcome]) -> [HandledMessage] {
    zip(envelopes, outcomes).compactMap { envelope, outcome in
        switch outcome {
        case .reply(let replies): HandledMessage(id: envelope.id, replies: replies)
        case .retry, .deadLetter: nil
        }
    }
}

/// A batch by message id: a message that is in it twice is decided once and answered twice.
struct Sorting: Sendable {
    let batch: [Envelope]
    let ids: [MessageID]

    init(_ batch: [Envelope]) {
        self.batch = batch
        ids = batch.map(\.id)
    }

    func fresh(knowing recorded: [MessageID: [OutgoingMessage]]) -> [Envelope] {
        var seen = Set<MessageID>(minimumCapacity: batch.count)
        return batch.filter { recorded[$0.id] == nil && seen.insert($0.id).inserted }
    }

    func outcomes(
        recorded: [MessageID: [OutgoingMessage]], fresh: [Envelope], _ outcomes: [Outcome]
    ) -> [Outcome] {
        precondition(fresh.count == outcomes.count, "a handler left out an outcome")
        if recorded.isEmpty && fresh.count == batch.count { return outcomes }
        let decided = Dictionary(uniqueKeysWithValues: zip(fresh.map(\.id), outcomes))
        return ids.map { id in
            if let replies = recorded[id] { return .reply(replies) }
            guard let outcome = decided[id] else { preconditionFailure("a message was neither fresh nor recorded") }
            return outcome
        }
    }
}
