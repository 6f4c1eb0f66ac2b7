import Contracts
import FleetRuntime

/// A worker's ledger, with or without a flaw in its inbox.
struct FlawedInboxStore<Tables: HasInbox>: InboxStore {
    private let inner: MemoryInboxStore<Tables>
    private let flaw: InboxFlaw

    init(_ inner: MemoryInboxStore<Tables>, _ flaw: InboxFlaw) {
        self.inner = inner
        self.flaw = flaw
    }

    func transact<R: Sendable>(_ body: (MemoryTransaction<Tables>) async throws -> R) async throws -> R {
        try await inner.transact(body)
    }

    func recordedReplies(
        to ids: [MessageID], in transaction: MemoryTransaction<Tables>
    ) async throws -> [MessageID: [OutgoingMessage]] {
        switch flaw {
        case .none: try await inner.recordedReplies(to: ids, in: transaction)
        case .forgetful: [:]
        case .silent: try await inner.recordedReplies(to: ids, in: transaction).mapValues { _ in [] }
        }
    }

    func record(_ handled: [HandledMessage], in transaction: MemoryTransaction<Tables>) async throws {
        switch flaw {
        case .none, .silent: try await inner.record(handled, in: transaction)
        case .forgetful: try await transaction.commit()
        }
    }
}
