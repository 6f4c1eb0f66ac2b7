import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres
import SagaCore

/// One saga with its history, for reading.
package struct SagaHistory: Sendable {
    package let saga: SagaSummary
    package let facts: PurchaseFacts
    package let timeline: [JournalEntry<PurchaseSaga>]
}

/// One saga in a list.
package struct SagaSummary: Sendable {
    package let id: SagaID
    package let state: PurchaseState
    package let version: Int
    package let request: PurchaseRequest
    package let needsAttention: String?
    package let createdAt: Date
    package let updatedAt: Date
    /// Names the trace of the request or message that began it.
    package let traceID: String?
}

/// What lists of sagas can be narrowed to.
package struct SagaFilter: Sendable {
    package var state: String?
    package var eventID: EventID?
    package var userID: String?
    /// Only those that wait for an operator.
    package var isAttentionNeeded = false
    package var before: SagaID?
    package var limit: Int
}

/// Reads sagas without locking them.
package struct SagaQueries: Sendable {
    let pool: PostgresPool

    package init(_ pool: PostgresPool) {
        self.pool = pool
    }

    private typealias SummaryRow = (UUID, String, Int32, String, String?, Date, Date, String, String?)

    private static let columns =
        "id, detail, version, request, needs_attention, created_at, updated_at, facts, traceparent"

    package func history(of id: SagaID) async throws -> SagaHistory? {
        let (rows, journal) = try await pool.withConnection { connection in
            let rows = try await connection.query(
                "SELECT \(Self.columns) FROM saga WHERE id = $1", [id.uuid], as: SummaryRow.self)
            let journal = try await connection.query(
                """
                SELECT saga_id, version, message_id, input, from_state, detail, step, effects, at, traceparent
                FROM saga_step WHERE saga_id = $1 ORDER BY version
                """, [id.uuid], as: JournalRow.self)
            return (rows, journal)
        }
        guard let row = rows.first else { return nil }
        return SagaHistory(
            saga: try Self.summary(row), facts: try WireFormat.decode(PurchaseFacts.self, fromText: row.7),
            timeline: try journal.map { try JournalEntry<PurchaseSaga>($0) })
    }

    /// Where the sagas stand, in one query.
    func positions(of ids: [SagaID]) async throws -> [SagaWatchers.Position] {
        try await pool.withConnection { connection in
            try await connection.query(
                "SELECT id, version, outcome IS NOT NULL FROM saga WHERE id = ANY($1)", [ids.map(\.uuid)],
                as: (UUID, Int32, Bool).self)
        }.map { .init(saga: SagaID($0.0), version: Int($0.1), hasOutcome: $0.2) }
    }

    /// A page, newest first: ids are in the order of time, so the cursor is the last id seen.
    package func page(_ filter: SagaFilter) async throws -> [SagaSummary] {
        var conditions = Conditions("kind = 'purchase'")
        conditions.add("id <", filter.before?.uuid)
        if let state = filter.state, PurchaseState.openTags.contains(state) {
            conditions.add("outcome IS NULL")
            conditions.add("state =", state)
        } else {
            conditions.add("outcome =", filter.state)
        }
        conditions.add("event_id =", filter.eventID?.uuid)
        conditions.add("user_id =", filter.userID)
        if filter.isAttentionNeeded { conditions.add("needs_attention IS NOT NULL") }
        let limit = conditions.parameter(filter.limit)
        let sql = "SELECT \(Self.columns) FROM saga WHERE \(conditions.text) ORDER BY id DESC LIMIT \(limit)"
        let parameters = conditions.parameters
        let rows = try await pool.withConnection { connection in
            try await connection.query(sql, parameters, as: SummaryRow.self)
        }
        return try rows.map(Self.summary)
    }

    private static func summary(_ row: SummaryRow) throws -> SagaSummary {
        SagaSummary(
            id: SagaID(row.0), state: try WireFormat.decode(PurchaseState.self, fromText: row.1),
            version: Int(row.2), request: try WireFormat.decode(PurchaseRequest.self, fromText: row.3),
            needsAttention: row.4, createdAt: row.5, updatedAt: row.6,
            traceID: row.8.map(TraceContext.traceID))
    }
}
