import Audit
import Contracts
import FleetStorage
import FoundationEssentials
import Postgres

/// The answers that one queue has not taken.
package struct UndeliveredQueue: Codable, Sendable {
    package let queue: String
    package let reason: String
    package let answers: Int
    /// Since when the first of them waits.
    package let since: Date
    /// How often that was tried.
    package let attempts: Int
    /// When the next attempt is; nil when all were given up.
    package let nextAttemptAt: Date?
    /// Those that are sent again only when an operator says so.
    package let givenUp: Int
}

/// One answer that its queue has not taken.
package struct UndeliveredAnswer: Codable, Sendable {
    package let messageId: String
    package let kind: String?
    package let reason: String
    package let attempts: Int
    package let since: Date
    package let nextAttemptAt: Date?
    /// As it would be told.
    package let body: String
}

/// What an operator did with the answers to a queue.
package struct UndeliveredOutcome: Codable, Sendable {
    package let action: ActionID?
    package let answers: Int

    package init(action: ActionID?, answers: Int) {
        self.action = action
        self.answers = answers
    }
}

extension PostgresUndeliveredAnswers {
    /// The queues with undelivered answers, those that wait longest first.
    package func queues(_ limit: Int) async throws -> [UndeliveredQueue] {
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                """
                SELECT queue, min(reason), count(*), min(since), max(attempts), min(due_at),
                    count(*) FILTER (WHERE due_at IS NULL)
                FROM undelivered_answer GROUP BY queue ORDER BY min(since), queue LIMIT $1
                """, [limit], as: (String, String, Int, Date, Int32, Date?, Int).self)
        }
        return rows.map {
            UndeliveredQueue(
                queue: $0.0, reason: $0.1, answers: $0.2, since: $0.3, attempts: Int($0.4), nextAttemptAt: $0.5,
                givenUp: $0.6)
        }
    }

    /// The undelivered answers to a queue in the order of their ids, after `cursor`.
    package func answers(to queue: String, after cursor: MessageID?, limit: Int) async throws -> [UndeliveredAnswer] {
        var conditions = Conditions("true")
        conditions.add("queue =", queue)
        conditions.add("message_id >", cursor?.uuid)
        let last = conditions.parameter(limit)
        let sql = """
            SELECT message_id, kind, reason, attempts, since, due_at, body FROM undelivered_answer
            WHERE \(conditions.text) ORDER BY message_id LIMIT \(last)
            """
        let parameters = conditions.parameters
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                sql, parameters, as: (UUID, String?, String, Int32, Date, Date?, Data).self)
        }
        return rows.map {
            UndeliveredAnswer(
                messageId: MessageID($0.0).description, kind: $0.1, reason: $0.2, attempts: Int($0.3), since: $0.4,
                nextAttemptAt: $0.5, body: String(decoding: $0.6, as: UTF8.self))
        }
    }

    /// How many answers a queue has not taken.
    package func count(to queue: String) async throws -> Int {
        try await pool.withConnection { connection in
            try await connection.query(
                "SELECT count(*) FROM undelivered_answer WHERE queue = $1", [queue], as: (Int).self
            ).first ?? 0
        }
    }

    /// Has the answers to a queue sent at once, and returns how many; those that were given up are tried once more.
    package func retry(_ queue: String) async throws -> Int {
        try await pool.withConnection { connection in
            try await connection.execute("UPDATE undelivered_answer SET due_at = now() WHERE queue = $1", [queue])
        }
    }

    /// Forgets the answers to a queue, and returns how many.
    package func drop(_ queue: String) async throws -> Int {
        try await pool.withConnection { connection in
            try await connection.execute("DELETE FROM undelivered_answer WHERE queue = $1", [queue])
        }
    }
}
