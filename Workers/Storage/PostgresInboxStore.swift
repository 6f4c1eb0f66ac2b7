import Connections
import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres

/// A worker's schema as a ledger: one connection, and the table `inbox` on its search path.
package struct PostgresInboxStore: InboxStore {
    let connection: PostgresConnection
    private let meaning: @Sendable (PostgresError) -> any Error

    /// - Parameter meaning: what an error says to the worker whose statements it may come from.
    package init(
        _ connection: PostgresConnection, meaning: @escaping @Sendable (PostgresError) -> any Error = { $0 }
    ) {
        self.connection = connection
        self.meaning = meaning
    }

    package func transact<R: Sendable>(_ body: (Transaction) async throws -> R) async throws -> R {
        do {
            return try await connection.transaction(body)
        } catch let error as PostgresError {
            throw meaning(error)
        }
    }

    package func recordedReplies(
        to ids: [MessageID], in transaction: Transaction
    ) async throws -> [MessageID: [OutgoingMessage]] {
        let rows = try await transaction.query(
            "SELECT message_id, replies FROM inbox WHERE message_id = ANY($1)", [ids.map(\.uuid)],
            as: (UUID, String).self)
        return try Dictionary(uniqueKeysWithValues: rows.map { (MessageID($0), try RecordedReplies.decode($1)) })
    }

    package func record(_ handled: [HandledMessage], in transaction: Transaction) async throws {
        guard !handled.isEmpty else { return }
        FaultPoint.beforeCommit.pass()
        do {
            _ = try await transaction.commit(after: [
                Statement(
                    "INSERT INTO inbox (message_id, replies) SELECT * FROM unnest($1::uuid[], $2::text[])",
                    handled.map(\.id.uuid), handled.map { RecordedReplies.encode($0.replies) })
            ])
        } catch {
            throw error.constraint == "inbox_pkey" ? DuplicateMessage() : error
        }
        FaultPoint.committed.pass()
    }
}
