import Contracts
import FoundationEssentials
import Postgres
import SagaCore
import WireJSON

/// id, version, step, detail, facts, request, wake_at, due_at, attempts, needs_attention, traceparent, now.
typealias SagaRow = (
    UUID, Int32, Int32, String, String, String, Date?, Date, Int32, String?, String?, Date
)

/// saga_id, version, message_id, input, from_state, detail, step, effects, at, traceparent.
typealias JournalRow = (UUID, Int32, UUID, String, String?, String, Int32, String, Date, String?)

extension SagaRecord {
    init(_ row: SagaRow, states: TextCache<Definition.State>, recent: SagaCache<Definition>) throws {
        let id = SagaID(row.0)
        let version = Int(row.1)
        let knowledge =
            try recent.knowledge(of: id, at: version) ?? (
                facts: WireFormat.decode(Definition.Facts.self, fromText: row.4),
                request: WireFormat.decode(Definition.Request.self, fromText: row.5)
            )
        self.init(
            id: id, version: version, step: Int(row.2), state: try states.value(of: row.3), facts: knowledge.facts,
            request: knowledge.request, wakeAt: row.6, dueAt: row.7, attempts: Int(row.8), needsAttention: row.9,
            traceparent: row.10)
    }
}

extension JournalEntry {
    init(_ row: JournalRow) throws {
        self.init(
            sagaID: SagaID(row.0), version: Int(row.1), messageID: MessageID(row.2),
            input: try WireFormat.decode(Definition.Input.self, fromText: row.3), from: row.4,
            to: try WireFormat.decode(Definition.State.self, fromText: row.5), step: Int(row.6),
            effects: try EffectList.read(row.7), at: row.8, traceparent: row.9)
    }
}

/// New sagas column by column, for one `unnest`.
struct NewSagaColumns<Definition: SagaDefinition> {
    let parameters: [any PostgresEncodable]

    init(_ sagas: [NewSaga<Definition>], states: TextCache<Definition.State>) throws {
        let records = sagas.map(\.record)
        let claims = sagas.map(\.claim)
        let details = try records.map { try states.text(of: $0.state) }
        let facts = try records.map { try WireFormat.canonicalText($0.facts) }
        let requests = try records.map { try WireFormat.text($0.request) }
        parameters = [
            records.map(\.id.uuid), records.map { Int32($0.version) }, records.map { Int32($0.step) },
            records.map(\.state.tag), details, facts, requests, records.map(\.state.outcome),
            claims.map(\.intent), claims.map(\.eventID?.uuid), claims.map(\.userID), records.map(\.wakeAt),
            records.map(\.dueAt), records.map(\.traceparent),
        ]
    }
}

extension PostgresSagaStore {
    func addition(of sagas: [NewSaga<Definition>]) throws -> Statement {
        Statement(
            """
            INSERT INTO saga (id, kind, version, step, state, detail, facts, request, outcome, intent, event_id, user_id,
                wake_at, due_at, traceparent)
            SELECT id, $1, version, step, state, detail, facts, request, outcome, intent, event_id, user_id, wake_at,
                due_at, traceparent
            FROM unnest($2::uuid[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[], $10::text[], $11::uuid[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::text[])
                AS new (id, version, step, state, detail, facts, request, outcome, intent, event_id, user_id, wake_at,
                    due_at, traceparent)
            """, parameters: [Definition.kind] + (try NewSagaColumns(sagas, states: states)).parameters)
    }

    /// Changes rows that still are as they were read: a step raises the version, asking again the attempts.
    func update(_ changes: [SagaChange<Definition>]) throws -> Statement {
        let (before, sagas) = (changes.map(\.before), changes.map(\.after))
        return Statement(
            """
            UPDATE saga SET version = new.version, step = new.step, state = new.state, detail = new.detail,
                facts = new.facts, outcome = new.outcome, wake_at = new.wake_at, due_at = new.due_at,
                attempts = new.attempts, needs_attention = new.needs_attention, updated_at = now(),
                intent = CASE WHEN new.outcome IS NULL THEN saga.intent END
            FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::timestamptz[], $9::timestamptz[], $10::int[], $11::text[], $12::int[], $13::int[])
                AS new (id, version, step, state, detail, facts, outcome, wake_at, due_at, attempts, needs_attention,
                    read_version, read_attempts)
            WHERE saga.id = new.id AND saga.version = new.read_version AND saga.attempts = new.read_attempts
            """,
            parameters: [
                sagas.map(\.id.uuid), sagas.map { Int32($0.version) }, sagas.map { Int32($0.step) },
                sagas.map(\.state.tag), try sagas.map { try states.text(of: $0.state) },
                try sagas.map { try WireFormat.canonicalText($0.facts) }, sagas.map(\.state.outcome),
                sagas.map(\.wakeAt), sagas.map(\.dueAt), sagas.map { Int32($0.attempts) },
                sagas.map(\.needsAttention), before.map { Int32($0.version) }, before.map { Int32($0.attempts) },
            ]
        ).touching(exactly: sagas.count)
    }

    func append(_ journal: [JournalEntry<Definition>]) throws -> Statement {
        Statement(
            """
            INSERT INTO saga_step (saga_id, version, message_id, input_name, input, from_state, to_state, detail,
                step, effects, at, traceparent)
            SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
                $8::text[], $9::int[], $10::text[], $11::timestamptz[], $12::text[])
            """,
            parameters: [
                journal.map(\.sagaID.uuid), journal.map { Int32($0.version) }, journal.map(\.messageID.uuid),
                journal.map(\.input.name), try journal.map { try WireFormat.canonicalText($0.input) },
                journal.map(\.from), journal.map(\.to.tag),
                try journal.map { try states.text(of: $0.to) }, journal.map { Int32($0.step) },
                journal.map { EffectList.text($0.effects) }, journal.map(\.at), journal.map(\.traceparent),
            ])
    }
}
