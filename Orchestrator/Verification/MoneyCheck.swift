import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres
import WireJSON

/// Whether the payment worker's books agree with themselves and with the provider.
struct MoneyCheck {
    private let connection: PostgresConnection
    private let comparesProvider: Bool
    private let options: Verifier.Options

    init(_ connection: PostgresConnection, comparesProvider: Bool, options: Verifier.Options) {
        self.connection = connection
        self.comparesProvider = comparesProvider
        self.options = options
    }

    func run() async throws -> [Violation] {
        let books = try await capturedTwice() + overdue() + unproven()
        return comparesProvider ? try await books + provider() : books
    }

    private func capturedTwice() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT saga_id, min(detail), max(detail) FROM payment.attempt_list WHERE outcome = 'captured'
            GROUP BY saga_id HAVING min(detail) <> max(detail)
            """,
            as: (UUID, String, String).self
        ).map { saga, one, other in
            Violation(.effectsHappenOnce, saga: SagaID(saga), "the provider captured it as \(one) and as \(other)")
        }
    }

    /// Charges whose end no question to the provider led to, and questions that cannot have such an answer.
    private func unproven() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT c.saga_id, c.status FROM payment.charge_list c LEFT JOIN (
                SELECT saga_id,
                    max(detail) FILTER (WHERE outcome = 'captured') AS captured,
                    max(detail) FILTER (WHERE outcome = 'declined') AS declined,
                    bool_or(operation = 'refund' AND outcome = 'refunded') AS is_refunded,
                    bool_and(CASE outcome
                        WHEN 'captured' THEN operation IN ('charge', 'close')
                        WHEN 'declined' THEN operation IN ('charge', 'close')
                        WHEN 'pending' THEN operation IN ('charge', 'refund')
                        WHEN 'closed' THEN operation = 'close'
                        WHEN 'refunded' THEN operation = 'refund'
                        ELSE outcome IN ('timed-out', 'unavailable', 'failed') END) AS is_sensible
                FROM payment.attempt_list GROUP BY saga_id
            ) a ON a.saga_id = c.saga_id
            WHERE NOT coalesce(a.is_sensible, true) OR CASE c.status
                WHEN 'captured' THEN a.captured IS DISTINCT FROM c.provider_id
                WHEN 'declined' THEN a.declined IS DISTINCT FROM c.decline_reason
                WHEN 'refunded' THEN a.captured IS DISTINCT FROM c.provider_id OR a.is_refunded IS NOT TRUE
                ELSE false END
            """,
            as: (UUID, String).self
        ).map { saga, status in
            Violation(
                .moneyMatchesTickets, saga: SagaID(saga),
                "its charge is \(status), which is not what the answers of the provider say that were written down")
        }
    }

    private func overdue() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT saga_id, status, next_check_at FROM payment.charge_list
            WHERE next_check_at < now() - make_interval(secs => $1) OR ($2 AND next_check_at IS NOT NULL)
            """,
            [options.grace.seconds, options.settled], as: (UUID, String, Date).self
        ).map { saga, status, due in
            Violation(
                .everythingEnds, saga: SagaID(saga),
                "its charge is \(status) and was to be looked at by \(WireFormat.text(of: due))")
        }
    }

    /// A row of the provider that says more than the books is allowed only while the books are still asking.
    private func provider() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT coalesce(c.saga_id::text, p.idempotency_key), c.status, c.amount_minor, c.currency,
                p.status, p.amount_minor, p.currency
            FROM payment.charge_list c FULL JOIN payment.provider_charge_list p
                ON p.idempotency_key = c.saga_id::text
            WHERE CASE coalesce(c.status, 'missing')
                WHEN 'captured' THEN p.status IS DISTINCT FROM 'captured'
                WHEN 'refunding' THEN coalesce(p.status, '') NOT IN ('captured', 'refunded')
                WHEN 'refunded' THEN p.status IS DISTINCT FROM 'refunded'
                WHEN 'open' THEN p.status = 'refunded'
                WHEN 'closing' THEN p.status = 'refunded'
                WHEN 'closed' THEN p.status <> 'closed'
                WHEN 'declined' THEN p.status <> 'declined' OR p.decline_reason IS DISTINCT FROM c.decline_reason
                ELSE p.status IN ('captured', 'refunded') END
                OR (c.method <> 'none' AND p.status IS NOT NULL
                    AND (c.amount_minor, c.currency, c.method) <> (p.amount_minor, p.currency, p.method))
            """,
            as: (String, String?, Int?, String?, String?, Int?, String?).self
        ).map { key, status, amount, currency, other, otherAmount, otherCurrency in
            let books = status.map { "\($0) \(amount ?? 0) \(currency ?? "")" } ?? "nothing"
            let provider = other.map { "\($0) \(otherAmount ?? 0) \(otherCurrency ?? "")" } ?? "nothing"
            return Violation(
                .moneyMatchesTickets, "saga \(key)", "the books say \(books), the provider says \(provider)")
        }
    }
}
