import Contracts
import FleetRuntime

/// Tables that remember which messages were handled, and what followed.
package protocol HasInbox: Sendable {
    var inbox: [MessageID: [OutgoingMessage]] { get set }
}

/// A worker's schema in memory as the lane's ledger.
package struct MemoryInboxStore<Tables: HasInbox>: InboxStore {
    let session: MemorySession<Tables>

    package init(_ session: MemorySession<Tables>) {
        self.session = session
    }

    package func transact<R: Sendable>(
        _ body: (MemoryTransaction<Tables>) async throws -> R
    ) async throws -> R {
        try await session.transact(body)
    }

    package func recordedReplies(
        to ids: [MessageID], in transaction: MemoryTransaction<Tables>
    ) async throws -> [MessageID: [OutgoingMessage]] {
        try await transaction.read { tables in
            var found: [MessageID: [OutgoingMessage]] = [:]
            for id in ids { found[id] = tables.inbox[id] }
            return found
        }
    }

    package func record(
        _ handled: [HandledMessage], in transaction: MemoryTransaction<Tables>
    ) async throws {
        guard !handled.isEmpty else { return }
        try await transaction.write(locking: handled.map { .id(.inbox, $0.id.uuid) }) { tables in
            for message in handled {
                guard tables.inbox.updateValue(message.replies, forKey: message.id) == nil else {
                    throw DuplicateMessage()
                }
            }
        }
        try await transaction.commit()
    }
}
