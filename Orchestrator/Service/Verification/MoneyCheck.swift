import Contracts
import FoundationEssentials
import Postgres

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
        let books = try await capturedTwice() + overdue()
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
                ELSE p.status IN ('captured', 'refunded') END
                OR (c.status IN ('captured', 'refunding', 'refunded')
                    AND (c.amount_minor, c.currency) IS DISTINCT FROM (p.amount_minor, p.currency))
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
