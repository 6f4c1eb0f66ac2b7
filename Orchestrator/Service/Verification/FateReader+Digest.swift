import Contracts
import FoundationEssentials
import Postgres

/// How many rows there are and what they say, in sixteen bytes; two tables agree when their digests do.
///
/// The rows' hashes are joined by exclusive or, so their order does not matter; a row is there once by its key.
private struct Digest: Equatable {
    let rows: Int
    let hash: Int

    init(_ row: (Int, Int?)?) {
        rows = row?.0 ?? 0
        hash = row?.1 ?? 0
    }
}

/// A million purchases of which nearly all are sold and settled need not be read one by one: what the sagas say their
/// holds, charges and letters are, and what these are, is digested by each schema and compared.
extension FateReader {
    private static let isSold = "kind = 'purchase' AND state = 'completed' AND outcome IS NOT NULL AND wake_at IS NULL"

    func count() async throws -> Int {
        try await sagas.query("SELECT count(*) FROM saga WHERE kind = 'purchase'", as: (Int).self).first ?? 0
    }

    /// The sagas of a range that are not both completed and settled.
    func unsold(_ range: SagaSelection) async throws -> [SagaID] {
        try await sagas.query(
            "SELECT id FROM saga WHERE NOT (\(Self.isSold)) AND kind = 'purchase' AND \(range.condition(on: "id"))",
            range.parameters, as: (UUID).self
        ).map { SagaID($0) }
    }

    /// Whether each schema holds just what the range's sold purchases say, but for the purchases left out.
    func agrees(on range: SagaSelection, leavingOut others: [SagaID]) async throws -> Bool {
        async let expected = expected(range)
        async let holds = digest(
            holds, "reservation.hold_list", "hashtextextended(status, quantity)", range, leavingOut: others)
        async let charges = digest(
            charges, "payment.charge_list", "hashtextextended(status || currency, amount_minor)", range,
            leavingOut: others)
        async let letters = digest(
            letters, "notification.notification_list",
            "hashtextextended(template || CASE status WHEN 'failed' THEN 'delivered' ELSE status END, 0)", range,
            leavingOut: others)
        let found = try await [holds, charges, letters]
        let sold = try await expected
        guard sold == found else { return false }
        return try await strays(range) == 0
    }

    /// What the sold purchases say of their holds, charges and letters, in this order.
    private func expected(_ range: SagaSelection) async throws -> [Digest] {
        let row = try await sagas.query(
            """
            SELECT count(*), bit_xor(uuid_hash_extended(id, hashtextextended('sold', quantity))),
                bit_xor(uuid_hash_extended(id, hashtextextended('captured' || currency, minor))),
                bit_xor(uuid_hash_extended(id, hashtextextended('purchase-completeddelivered', 0)))
            FROM (
                SELECT id, (request ->> 'quantity')::bigint AS quantity, request -> 'amount' ->> 'currency' AS currency,
                    (request -> 'amount' ->> 'minor')::bigint AS minor
                FROM (
                    SELECT id, request::jsonb AS request FROM saga
                    WHERE \(Self.isSold) AND \(range.condition(on: "id")) OFFSET 0
                ) AS parsed
            ) AS sold
            """, range.parameters, as: (Int, Int?, Int?, Int?).self
        ).first
        return [Digest(row.map { ($0.0, $0.1) }), Digest(row.map { ($0.0, $0.2) }), Digest(row.map { ($0.0, $0.3) })]
    }

    private func digest(
        _ connection: PostgresConnection, _ view: String, _ terms: String, _ range: SagaSelection,
        leavingOut others: [SagaID]
    ) async throws -> Digest {
        Digest(
            try await connection.query(
                """
                SELECT count(*), bit_xor(uuid_hash_extended(saga_id, \(terms))) FROM \(view)
                WHERE \(range.condition(on: "saga_id")) AND saga_id <> ALL($3)
                """, range.parameters + [others.map(\.uuid)], as: (Int, Int?).self
            ).first)
    }

    /// How many timers of the range belong to no saga.
    private func strays(_ range: SagaSelection) async throws -> Int {
        let ids = try await timers(range)
        return try await sagas.query(
            """
            SELECT count(*) FROM unnest($1::uuid[]) AS timer (id)
            WHERE NOT EXISTS (SELECT FROM saga WHERE saga.id = timer.id AND \(range.condition(on: "saga.id", after: 1)))
            """, [ids.map(\.uuid)] + range.parameters, as: (Int).self
        ).first ?? 0
    }
}
