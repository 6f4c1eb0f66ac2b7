import Contracts
import FoundationEssentials
import Postgres

/// A charge as the simulated provider remembers it.
struct SimulatedCharge: Sendable, Equatable {
    enum Status: String, Sendable, PostgresDecodable, PostgresEncodable {
        case pending, captured, declined, closed, refunded
    }

    let key: String
    let status: Status
    let declineReason: String?
    /// How often the charge was asked for, this time included.
    let calls: Int
    let amount: Money

    /// The provider's name for the charge.
    var id: String { "sim_\(key)" }
}

/// The simulated provider's memory, `payment.simulated_charge`: one statement per operation, whatever the number.
enum SimulatedMemory {
    private static let returned =
        "RETURNING known.idempotency_key, known.status, known.decline_reason, known.calls, "
        + "known.amount_minor, known.currency"

    /// Makes charges, or moves those that it knows a call further.
    static func charge(_ payments: [ProviderPayment], on connection: PostgresConnection) async throws
        -> [SimulatedCharge]
    {
        let methods = payments.map { SimulatedMethod(token: $0.method) }
        return try await connection.query(
            """
            INSERT INTO payment.simulated_charge AS known (
                idempotency_key, amount_minor, currency, method, calls, status, decline_reason,
                captures_on_call, captures_at, captures_when_closed, captured_at)
            SELECT key, amount_minor, currency, method, 1, status, decline_reason,
                on_call, now() + after_milliseconds * interval '1 millisecond', when_closed,
                CASE WHEN status = 'captured' THEN now() END
            FROM unnest(
                $1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
                $9::boolean[])
                AS asked (
                    key, amount_minor, currency, method, status, decline_reason, on_call, after_milliseconds,
                    when_closed)
            ON CONFLICT (idempotency_key) DO UPDATE SET
                calls = known.calls + 1,
                (status, captured_at) = (
                    SELECT CASE WHEN captures THEN 'captured' ELSE known.status END,
                        CASE WHEN captures THEN now() ELSE known.captured_at END
                    FROM (
                        SELECT known.status = 'pending' AND (
                            known.calls + 1 >= known.captures_on_call OR known.captures_at <= now())
                    ) AS decided (captures))
            \(returned)
            """,
            [
                payments.map(\.key), payments.map(\.amount.minor), payments.map(\.amount.currency),
                payments.map(\.method), methods.map(\.firstStatus), methods.map(\.declineReason),
                methods.map(\.capturesOnCall), methods.map(\.capturesAfterMilliseconds),
                methods.map(\.capturesWhenClosed),
            ],
            as: Columns.self
        ).map(simulatedCharge)
    }

    /// Ends charges, those that it does not know included.
    static func close(_ payments: [ProviderPayment], on connection: PostgresConnection) async throws
        -> [SimulatedCharge]
    {
        try await connection.query(
            """
            INSERT INTO payment.simulated_charge AS known (idempotency_key, amount_minor, currency, method, status)
            SELECT key, amount_minor, currency, method, 'closed'
            FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[])
                AS asked (key, amount_minor, currency, method)
            ON CONFLICT (idempotency_key) DO UPDATE SET
                (status, captured_at) = (
                    SELECT CASE WHEN known.status <> 'pending' THEN known.status
                            WHEN captures THEN 'captured' ELSE 'closed' END,
                        CASE WHEN known.status = 'pending' AND captures THEN now() ELSE known.captured_at END
                    FROM (SELECT known.captures_when_closed OR known.captures_at <= now()) AS decided (captures))
            \(returned)
            """,
            [
                payments.map(\.key), payments.map(\.amount.minor), payments.map(\.amount.currency),
                payments.map(\.method),
            ],
            as: Columns.self
        ).map(simulatedCharge)
    }

    /// Gives captured money back; what was never captured is not among the answers.
    static func refund(_ payments: [ProviderPayment], on connection: PostgresConnection) async throws
        -> [SimulatedCharge]
    {
        try await connection.query(
            """
            UPDATE payment.simulated_charge AS known
            SET status = 'refunded', refunded_at = coalesce(known.refunded_at, now())
            WHERE known.idempotency_key = ANY ($1) AND known.status IN ('captured', 'refunded')
            \(returned)
            """,
            [payments.map(\.key)], as: Columns.self
        ).map(simulatedCharge)
    }

    private typealias Columns = (String, SimulatedCharge.Status, String?, Int, Int64, String)

    private static func simulatedCharge(_ row: Columns) -> SimulatedCharge {
        let (key, status, reason, calls, minor, currency) = row
        return SimulatedCharge(
            key: key, status: status, declineReason: reason, calls: calls,
            amount: Money(currency: currency, minor: minor))
    }
}
