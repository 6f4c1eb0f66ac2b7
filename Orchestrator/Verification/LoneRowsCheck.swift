import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Postgres
import WireJSON

/// What can be seen in one schema alone: who should have been woken, what was sent twice, what waits to be sent.
struct LoneRowsCheck {
    private let connection: PostgresConnection
    private let options: Verifier.Options

    init(_ connection: PostgresConnection, options: Verifier.Options) {
        self.connection = connection
        self.options = options
    }

    func run() async throws -> [Violation] {
        try await sleepers() + requests() + events() + outbox() + letters() + attempts() + timers() + deadLetters()
    }

    private func sleepers() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT id, state, wake_at, due_at, outcome IS NOT NULL, needs_attention FROM saga
            WHERE (outcome IS NULL AND (wake_at IS NULL OR wake_at > due_at))
                OR wake_at < now() - make_interval(secs => $1) OR outcome <> state
                OR ($2 AND (outcome IS NULL OR wake_at IS NOT NULL OR needs_attention IS NOT NULL))
            """,
            [options.grace.seconds, options.settled], as: (UUID, String, Date?, Date, Bool, String?).self
        ).map { saga, state, wake, due, hasEnded, attention in
            if let attention, hasEnded, wake == nil {
                return Violation(
                    .everythingEnds, saga: SagaID(saga),
                    "it ended as \(state) and still calls an operator: \(attention)")
            }
            let when = wake.map { "it was to be woken at \(WireFormat.text(of: $0))" } ?? "nobody will wake it"
            return Violation(
                .everythingEnds, saga: SagaID(saga),
                "it \(hasEnded ? "ended as" : "stands in") \(state); \(when), its answer is due at \(WireFormat.text(of: due))"
            )
        }
    }

    /// What was accepted is there, and what was asked is answered.
    private func requests() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT kind, state, subject FROM request
            WHERE (state = 'accepted' AND kind = 'purchase.start.v1'
                    AND NOT EXISTS (SELECT 1 FROM saga WHERE saga.id = request.subject))
                OR (state = 'accepted' AND kind = 'event.publish.v1'
                    AND NOT EXISTS (SELECT 1 FROM event WHERE event.id = request.subject))
                OR (state = 'pending'
                    AND ($2 OR forget_at < now() + make_interval(secs => $3) - make_interval(secs => $1)))
            """,
            [options.grace.seconds, options.settled, RequestLimits.memory.seconds], as: (String, String, UUID?).self
        ).map { kind, state, subject in
            let subject = subject.map { "\(SagaID($0))" } ?? "of nothing"
            return Violation(
                .nothingIsLost, "request \(kind) \(subject)",
                state == "pending" ? "it was never answered" : "it was accepted, and what it began is not there")
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

    /// Every letter that ended has the attempt that ended it, and every attempt has its letter.
    private func attempts() async throws -> [Violation] {
        let unproven = try await connection.query(
            """
            SELECT n.saga_id, n.template, n.status FROM notification.notification_list n
            LEFT JOIN notification.attempt_list a ON a.saga_id = n.saga_id AND a.template = n.template
                AND CASE n.status
                    WHEN 'delivered' THEN a.outcome = 'delivered' AND a.at = n.delivered_at
                        AND a.number <= n.attempts AND (a.channel = n.channel OR a.number < n.attempts)
                    ELSE a.outcome = 'refused' END
            WHERE n.status <> 'pending' AND a.saga_id IS NULL
            """, as: (UUID, String, String).self
        ).map { saga, template, status in
            Violation(
                .nothingIsLost, saga: SagaID(saga), "its letter \(template) is \(status), and no attempt led to that")
        }
        let strays = try await connection.query(
            """
            SELECT a.saga_id, a.template, a.number FROM notification.attempt_list a
            LEFT JOIN notification.notification_list n ON n.saga_id = a.saga_id AND n.template = a.template
            WHERE n.saga_id IS NULL OR a.number > n.attempts
            """, as: (UUID, String, Int).self
        ).map { saga, template, number in
            Violation(.nothingIsLost, saga: SagaID(saga), "nobody began attempt \(number) of the letter \(template)")
        }
        return unproven + strays
    }

    /// Of a fleet at rest no purchase has a message that nobody could handle.
    private func deadLetters() async throws -> [Violation] {
        let waiting = try await connection.query(
            """
            SELECT d.saga_id, d.queue, d.reason FROM dead_letter d JOIN saga ON saga.id = d.saga_id
            WHERE $1 AND d.state = 'waiting'
            """, [options.settled], as: (UUID, String, String).self
        ).map { saga, queue, reason in
            Violation(
                .nothingIsLost, saga: SagaID(saga), "a message to \(queue) waits among the dead letters: \(reason)")
        }
        let forged = try await connection.query(
            """
            SELECT id FROM dead_letter
            WHERE identity <> sha256(convert_to(coalesce(message_id, ''), 'UTF8') || body)
                AND strpos(coalesce(message_id, ''), U&'\\FFFD') = 0
                AND strpos(coalesce(message_id, ''), '\\u{0}') = 0
            """, as: (UUID).self
        ).map { Violation(.nothingIsLost, "letter \(DeadLetterID($0))", "it is not what its identity says") }
        return waiting + forged
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
