import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Postgres
import SagaCore
import WireJSON

/// One saga with its history, for reading.
package struct SagaHistory<Definition: SagaDefinition>: Sendable {
    package let saga: SagaSummary<Definition>
    package let facts: Definition.Facts
    package let timeline: [JournalEntry<Definition>]
}

/// One saga in a list.
package struct SagaSummary<Definition: SagaDefinition>: Sendable {
    package let id: SagaID
    package let state: Definition.State
    package let version: Int
    package let request: Definition.Request
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

    package init(
        state: String? = nil, eventID: EventID? = nil, userID: String? = nil, isAttentionNeeded: Bool = false,
        before: SagaID? = nil, limit: Int
    ) {
        self.state = state
        self.eventID = eventID
        self.userID = userID
        self.isAttentionNeeded = isAttentionNeeded
        self.before = before
        self.limit = limit
    }
}

/// Reads sagas of one kind without locking them.
package struct SagaQueries<Definition: SagaDefinition>: Sendable {
    let pool: PostgresPool

    package init(_ pool: PostgresPool) {
        self.pool = pool
    }

    private typealias SummaryRow = (UUID, String, Int32, String, String?, Date, Date, String, String?)

    private static var columns: String {
        "id, detail, version, request, needs_attention, created_at, updated_at, facts, traceparent"
    }

    package func history(of id: SagaID) async throws -> SagaHistory<Definition>? {
        let (rows, journal) = try await pool.withConnection { connection in
            let rows = try await connection.query(
                "SELECT \(Self.columns) FROM saga WHERE kind = $1 AND id = $2", [Definition.kind, id.uuid],
                as: SummaryRow.self)
            let journal = try await connection.query(
                """
                SELECT saga_id, version, message_id, input, from_state, detail, step, effects, at, traceparent
                FROM saga_step WHERE saga_id = $1 ORDER BY version
                """, [id.uuid], as: JournalRow.self)
            return (rows, journal)
        }
        guard let row = rows.first else { return nil }
        return SagaHistory(
            saga: try Self.summary(row), facts: try WireFormat.decode(Definition.Facts.self, fromText: row.7),
            timeline: try journal.map { try JournalEntry<Definition>($0) })
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
    package func page(_ filter: SagaFilter) async throws -> [SagaSummary<Definition>] {
        var conditions = Conditions("kind = '\(Definition.kind)'")
        conditions.add("id <", filter.before?.uuid)
        if let state = filter.state, Definition.State.openTags.contains(state) {
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

    private static func summary(_ row: SummaryRow) throws -> SagaSummary<Definition> {
        SagaSummary(
            id: SagaID(row.0), state: try WireFormat.decode(Definition.State.self, fromText: row.1),
            version: Int(row.2), request: try WireFormat.decode(Definition.Request.self, fromText: row.3),
            needsAttention: row.4, createdAt: row.5, updatedAt: row.6,
            traceID: row.8.map(TraceContext.traceID))
    }
}
