import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres
import WireJSON

/// The table `request` of the orchestrator's schema.
package struct PostgresRequestStore: RequestStore {
    private let source: Source

    private enum Source: Sendable {
        case connection(PostgresConnection)
        case pool(PostgresPool)
    }

    package init(_ connection: PostgresConnection) {
        source = .connection(connection)
    }

    package init(_ pool: PostgresPool) {
        source = .pool(pool)
    }

    package func add(_ requests: [RequestRecord]) async throws -> [ExactText: RequestRecord] {
        try await transact { try await RequestTable.add(requests, in: $0).earlier }
    }

    package func answer(_ requests: [RequestRecord]) async throws {
        guard !requests.isEmpty else { return }
        let statement = try RequestTable.answer(requests)
        try await transact { _ = try await $0.commit(after: [statement]) }
    }

    package func forget() async throws -> Int {
        try await transact { transaction in
            try await transaction.commit(after: [
                Statement(
                    """
                    DELETE FROM request WHERE key IN (
                        SELECT key FROM request WHERE forget_at < greatest(now(), (
                            SELECT forget_at FROM request WHERE forget_at IS NOT NULL
                            ORDER BY forget_at DESC OFFSET $1 LIMIT 1))
                        ORDER BY forget_at LIMIT $2)
                    """, RequestLimits.count, RequestLimits.sweep)
            ])[0]
        }
    }

    private func transact<R: Sendable>(_ body: (Transaction) async throws -> R) async throws -> R {
        switch source {
        case .connection(let connection): try await connection.transaction(body)
        case .pool(let pool): try await pool.transaction(body)
        }
    }
}

/// The statements on the table `request`, for whoever has a transaction of its own.
package enum RequestTable {
    typealias Row = (String, String, Data, String, UUID?, String?)

    private enum State: String {
        case pending, accepted, rejected
    }

    struct UnknownAnswer: Error {
        let key: String
        let state: String
    }

    /// New rows in the order of their keys, so that two transactions wait for each other in one direction only.
    package static func insertion(of requests: [RequestRecord]) throws -> Statement {
        Statement(
            """
            INSERT INTO request (key, kind, fingerprint, state, subject, problem, forget_at)
            SELECT key, kind, fingerprint, state, subject, problem,
                CASE WHEN is_for_ever THEN NULL ELSE now() + make_interval(secs => $1) END
            FROM unnest($2::text[], $3::text[], $4::bytea[], $5::text[], $6::uuid[], $7::text[], $8::bool[])
                WITH ORDINALITY
                AS new (key, kind, fingerprint, state, subject, problem, is_for_ever, place)
            ORDER BY key, place
            """,
            parameters: [
                RequestLimits.memory.seconds, requests.map(\.key), requests.map(\.kind.rawValue),
                requests.map(\.fingerprint), requests.map { state(of: $0.answer).rawValue }, requests.map(\.subject),
                try requests.map { try problem(of: $0.answer) }, requests.map(\.isForEver),
            ])
    }

    /// Adds what is free, in one statement, and reads what stood there before in another.
    package static func add(
        _ requests: [RequestRecord], in transaction: Transaction
    ) async throws -> (subjects: Set<UUID?>, earlier: [ExactText: RequestRecord]) {
        guard !requests.isEmpty else { return ([], [:]) }
        let insertion = try insertion(of: requests)
        let rows = try await transaction.query(
            "\(insertion.sql) ON CONFLICT DO NOTHING RETURNING key, subject", insertion.parameters,
            as: (String, UUID?).self)
        let added = Dictionary(uniqueKeysWithValues: rows.map { (ExactText($0), $1) })
        let taken = Set(requests.filter { added[$0.exactKey] != .some($0.subject) }.map(\.exactKey))
        return (
            Set(added.values), taken.isEmpty ? [:] : try await records(of: taken.sorted().map(\.text), in: transaction)
        )
    }

    static func records(of keys: [String], in transaction: Transaction) async throws -> [ExactText: RequestRecord] {
        let rows = try await transaction.query(
            "SELECT key, kind, fingerprint, state, subject, problem FROM request WHERE key = ANY($1)", [keys],
            as: Row.self)
        return try Dictionary(uniqueKeysWithValues: rows.map { (ExactText($0.0), try record($0)) })
    }

    /// Gives up the keys of starts whose sagas did not come to be, and records their rejections there.
    package static func reject(_ requests: [RequestRecord], in transaction: Transaction) async throws {
        let forgetting = Statement("DELETE FROM request WHERE key = ANY($1)", requests.map(\.key))
        _ = try await transaction.pipeline([forgetting, try insertion(of: requests)])
    }

    /// Answers requests that are pending.
    static func answer(_ requests: [RequestRecord]) throws -> Statement {
        Statement(
            """
            UPDATE request SET state = new.state, problem = new.problem
            FROM unnest($1::text[], $2::text[], $3::text[]) AS new (key, state, problem)
            WHERE request.key = new.key AND request.state = 'pending'
            """,
            parameters: [
                requests.map(\.key), requests.map { state(of: $0.answer).rawValue },
                try requests.map { try problem(of: $0.answer) },
            ])
    }

    private static func state(of answer: RequestRecord.Answer) -> State {
        switch answer {
        case .pending: .pending
        case .accepted: .accepted
        case .rejected: .rejected
        }
    }

    private static func problem(of answer: RequestRecord.Answer) throws -> String? {
        guard case .rejected(let problem) = answer else { return nil }
        return try WireFormat.text(problem)
    }

    private static func record(_ row: Row) throws -> RequestRecord {
        let (key, kind, fingerprint, word, subject, text) = row
        guard let kind = MessageKind(rawValue: kind) else { throw UnknownAnswer(key: key, state: word) }
        let answer: RequestRecord.Answer =
            switch (State(rawValue: word), text) {
            case (.pending, _): .pending
            case (.accepted, _): .accepted
            case (.rejected, let text?): .rejected(try WireFormat.decode(Problem.self, fromText: text))
            case (.rejected, nil), (nil, _): throw UnknownAnswer(key: key, state: word)
            }
        return RequestRecord(key: key, kind: kind, fingerprint: fingerprint, subject: subject, answer: answer)
    }
}
