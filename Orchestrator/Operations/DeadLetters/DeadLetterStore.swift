import Contracts
import FleetInspection
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Postgres
import RabbitMQ
import WireJSON

/// The dead letters in the table `dead_letter`.
package struct DeadLetterStore: Sendable {
    /// How long letters that were sent again or dropped are kept; what waits is kept for ever.
    package static let keptDays = 90

    let pool: PostgresPool

    package init(_ pool: PostgresPool) {
        self.pool = pool
    }

    /// Files letters, and tells their open sagas why they wait; a letter that comes back is the same one again.
    func file(_ messages: [DeadLetteredMessage]) async throws {
        let letters = messages.map(NewDeadLetter.init)
        let told = letters.filter { $0.sagaID != nil }.sorted {
            ($0.sagaID?.description ?? "") < ($1.sagaID?.description ?? "")
        }
        let statements = try letters.map(insertion) + told.map(notice)
        try await pool.transaction { transaction in
            _ = try await transaction.commit(after: statements)
        }
    }

    private func insertion(_ letter: NewDeadLetter) throws -> Statement {
        let message = letter.message
        let parameters: [any PostgresEncodable] = [
            DeadLetterID.fresh().uuid, message.queue, letter.identity, letter.fingerprint,
            message.properties.type?.storable, message.properties.messageID?.storable, letter.sagaID?.uuid,
            message.reason.storable, Int32(clamping: message.attempts),
            try WireFormat.text(StoredProperties(message.properties)), message.body, message.firstSeen,
        ]
        return Statement(
            """
            WITH filed AS (
                INSERT INTO dead_letter (id, queue, identity, fingerprint, kind, message_id, saga_id, reason,
                    attempts, properties, body, first_seen)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, coalesce($12, now()))
                ON CONFLICT (queue, identity) DO UPDATE SET state = 'waiting', ended_at = NULL,
                    times = dead_letter.times + 1, fingerprint = excluded.fingerprint, reason = excluded.reason,
                    attempts = excluded.attempts, properties = excluded.properties, last_seen = now()
                RETURNING id, action_id)
            INSERT INTO dead_letter_return (action_id, letter_id)
            SELECT action_id, id FROM filed WHERE action_id IS NOT NULL ON CONFLICT DO NOTHING
            """, parameters: parameters)
    }

    /// The next step that the saga takes wipes the notice out again.
    private func notice(_ letter: NewDeadLetter) -> Statement {
        let kind = letter.message.properties.type ?? "a message without a kind"
        let text =
            "\(kind) could not be handled and is a dead letter of \(letter.message.queue): \(letter.message.reason)"
        return Statement(
            "UPDATE saga SET needs_attention = $2 WHERE id = $1 AND wake_at IS NOT NULL", letter.sagaID?.uuid,
            text.storable)
    }

    package func groups() async throws -> [DeadLetterGroup] {
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                """
                SELECT queue, fingerprint, min(kind), count(*), min(first_seen), max(last_seen), min(reason)
                FROM dead_letter WHERE state = 'waiting' GROUP BY queue, fingerprint ORDER BY count(*) DESC, queue
                """, as: (String, String, String?, Int, Date, Date, String).self)
        }
        return rows.map {
            DeadLetterGroup(
                queue: $0.0, group: $0.1, kind: $0.2, count: $0.3, firstSeen: $0.4, lastSeen: $0.5, reason: $0.6)
        }
    }

    private typealias SummaryRow = (
        UUID, String, String, String?, String?, UUID?, String, Int32, Int32, String, Date, Date
    )

    private static let columns = """
        id, queue, fingerprint, kind, message_id, saga_id, reason, attempts, times, state, first_seen, last_seen
        """

    /// Whether letters of the queue were ever filed.
    package func knows(_ queue: String) async throws -> Bool {
        try await pool.withConnection { connection in
            try await connection.query(
                "SELECT EXISTS (SELECT FROM dead_letter WHERE queue = $1)", [queue], as: (Bool).self)
        }.first ?? false
    }

    /// Forgets at most `limit` letters that were sent again or dropped long ago.
    func forget(upTo limit: Int) async throws -> Int {
        try await pool.withConnection { connection in
            try await connection.execute(
                """
                DELETE FROM dead_letter WHERE id IN (
                    SELECT id FROM dead_letter
                    WHERE state <> 'waiting' AND ended_at < now() - make_interval(days => $1) LIMIT $2)
                """, [Int32(Self.keptDays), limit])
        }
    }

    /// A page of the letters in a state, oldest first.
    package func page(
        _ queue: String, _ state: DeadLetterState, group: String?, after: DeadLetterID?, limit: Int
    ) async throws -> [DeadLetterSummary] {
        var conditions = Conditions("state = '\(state.rawValue)'")
        conditions.add("queue =", queue)
        conditions.add("fingerprint =", group)
        conditions.add("id >", after?.uuid)
        let last = conditions.parameter(limit)
        let sql = "SELECT \(Self.columns) FROM dead_letter WHERE \(conditions.text) ORDER BY id LIMIT \(last)"
        let parameters = conditions.parameters
        let rows = try await pool.withConnection { connection in
            try await connection.query(sql, parameters, as: SummaryRow.self)
        }
        return try rows.map(Self.summary)
    }

    package func letters(of saga: SagaID) async throws -> [DeadLetterSummary] {
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                "SELECT \(Self.columns) FROM dead_letter WHERE saga_id = $1 ORDER BY id LIMIT 100", [saga.uuid],
                as: SummaryRow.self)
        }
        return try rows.map(Self.summary)
    }

    package func letter(_ id: DeadLetterID) async throws -> DeadLetterDetail? {
        let (rows, contents) = try await pool.withConnection { connection in
            let rows = try await connection.query(
                "SELECT \(Self.columns) FROM dead_letter WHERE id = $1", [id.uuid], as: SummaryRow.self)
            let contents = try await connection.query(
                "SELECT properties, body FROM dead_letter WHERE id = $1", [id.uuid], as: (String, Data).self)
            return (rows, contents)
        }
        guard let row = rows.first, let content = contents.first else { return nil }
        let properties = try WireFormat.decode(StoredProperties.self, fromText: content.0)
        return DeadLetterDetail(
            summary: try Self.summary(row), properties: properties.shown,
            headers: StoredProperties.texts(of: properties.properties.headers),
            body: String(decoding: content.1, as: UTF8.self))
    }

    private static func summary(_ row: SummaryRow) throws -> DeadLetterSummary {
        guard let state = DeadLetterState(rawValue: row.9) else { throw UnknownState(word: row.9) }
        return DeadLetterSummary(
            letter: DeadLetterID(row.0), queue: row.1, group: row.2, kind: row.3, messageId: row.4,
            sagaId: row.5.map { SagaID($0) }, reason: row.6, attempts: Int(row.7), times: Int(row.8), state: state,
            firstSeen: row.10, lastSeen: row.11)
    }
}

/// A letter is in a state that this program does not know.
private struct UnknownState: Error {
    let word: String
}

extension String {
    /// PostgreSQL's text cannot hold NUL, which a stranger's message may.
    fileprivate var storable: String { utf8.contains(0) ? replacing("\0", with: "\\u{0}") : self }
}
