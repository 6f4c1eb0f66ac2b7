import Contracts
import FoundationEssentials
import Postgres

/// What can be seen in one schema alone: who should have been woken, what was sent twice, what waits to be sent.
struct LoneRowsCheck {
    private let connection: PostgresConnection
    private let options: Verifier.Options

    init(_ connection: PostgresConnection, options: Verifier.Options) {
        self.connection = connection
        self.options = options
    }

    func run() async throws -> [Violation] {
        try await sleepers() + events() + outbox() + letters() + timers()
    }

    private func sleepers() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT id, state, wake_at, due_at, outcome IS NOT NULL FROM saga
            WHERE (outcome IS NULL AND (wake_at IS NULL OR wake_at > due_at))
                OR wake_at < now() - make_interval(secs => $1) OR outcome <> state
                OR ($2 AND (outcome IS NULL OR wake_at IS NOT NULL))
            """,
            [options.grace.seconds, options.settled], as: (UUID, String, Date?, Date, Bool).self
        ).map { saga, state, wake, due, hasEnded in
            let when = wake.map { "it was to be woken at \(WireFormat.text(of: $0))" } ?? "nobody will wake it"
            return Violation(
                .everythingEnds, saga: SagaID(saga),
                "it \(hasEnded ? "ended as" : "stands in") \(state); \(when), its answer is due at \(WireFormat.text(of: due))"
            )
        }
    }

    private func events() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT id FROM event WHERE NOT is_stocked AND ($2 OR created_at < now() - make_interval(secs => $1))
            """,
            [options.grace.seconds, options.settled], as: (UUID).self
        ).map { Violation(.nothingIsLost, "event \(EventID($0))", "its stock has not all arrived") }
    }

    private func outbox() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT message_id FROM outbox
            WHERE $2 OR (claimed_until > '-infinity' AND claimed_until < now() - make_interval(secs => $1))
            """,
            [options.grace.seconds, options.settled], as: (UUID).self
        ).map { Violation(.nothingIsLost, "message \(MessageID($0))", "it waits in the outbox") }
    }

    private func letters() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT saga_id, template, count(*) FROM notification.attempt_list WHERE outcome = 'delivered'
            GROUP BY saga_id, template HAVING count(*) > 1
            """,
            as: (UUID, String, Int).self
        ).map { saga, template, count in
            Violation(.effectsHappenOnce, saga: SagaID(saga), "the letter \(template) was delivered \(count) times")
        }
    }

    private func timers() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT saga_id, subject, due_at FROM expiry.timer_list
            WHERE status = 'scheduled' AND due_at < now() - make_interval(secs => $1)
            """,
            [options.grace.seconds], as: (UUID, String, Date).self
        ).map { saga, subject, due in
            Violation(
                .everythingEnds, saga: SagaID(saga), "its timer \(subject) was to ring at \(WireFormat.text(of: due))")
        }
    }
}
