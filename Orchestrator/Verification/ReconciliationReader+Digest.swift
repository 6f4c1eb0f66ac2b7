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
extension ReconciliationReader {
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
            holds, "reservation.hold_list", "status || ' ' || \(Terms.ofHold)", range, leavingOut: others)
        async let charges = digest(
            charges, "payment.charge_list", "concat_ws(' ', status, \(Terms.ofCharge), provider_id)", range,
            leavingOut: others)
        async let letters = digest(
            letters, "notification.notification_list",
            "concat_ws(' ', template, CASE status WHEN 'failed' THEN 'delivered' ELSE status END, \(Terms.ofLetter))",
            range, leavingOut: others)
        async let tickets = digest(
            tickets, "reservation.ticket_list", "status || ' ' || \(Terms.ofTicket)", range, leavingOut: others)
        let found = try await [holds, charges, letters, tickets]
        guard let sold = try await expected, sold == found else { return false }
        return try await strays(range) == 0
    }

    private typealias Expected = (Int, Bool, Int?, Int?, Int?, Int?, Int?)

    /// What the sold purchases say of their holds, charges, letters and tickets, in this order; nil when they cannot be
    /// read together.
    private func expected(_ range: SagaSelection) async throws(PostgresError) -> [Digest]? {
        do {
            let rows = try await sagas.query(
                """
                SELECT count(*), coalesce(bool_and(is_filed_rightly), true),
                    bit_xor(uuid_hash_extended(id, hashtextextended('sold ' || hold, 0))),
                    bit_xor(uuid_hash_extended(id, hashtextextended(concat_ws(' ', 'captured', charge, charge_id), 0))),
                    bit_xor(uuid_hash_extended(
                        id, hashtextextended(concat_ws(' ', 'purchase-completed delivered', letter), 0))),
                    sum(jsonb_array_length(tickets))::bigint,
                    bit_xor((
                        SELECT bit_xor(uuid_hash_extended(id, hashtextextended('valid ' || \(Terms.ofSaga.ticket), 0)))
                        FROM jsonb_array_elements(tickets) AS ticket))
                FROM (
                    SELECT id, wish, known -> 'tickets' AS tickets, \(Terms.ofSaga.hold) AS hold,
                        \(Terms.ofSaga.charge) AS charge, \(Terms.ofSaga.chargeID) AS charge_id,
                        \(Terms.ofSaga.letter) AS letter, \(Terms.ofSaga.isFiledRightly) AS is_filed_rightly
                    FROM \(Terms.sagas(where: "\(Self.isSold) AND \(range.condition(on: "id"))"))
                ) AS sold
                """, range.parameters, as: Expected.self)
            guard let row = rows.first, row.1 else { return nil }
            return [
                Digest((row.0, row.2)), Digest((row.0, row.3)), Digest((row.0, row.4)), Digest((row.5 ?? 0, row.6)),
            ]
        } catch {
            guard error.code == .invalidData else { throw error }
            return nil
        }
    }

    private func digest(
        _ connection: PostgresConnection, _ view: String, _ terms: String, _ range: SagaSelection,
        leavingOut others: [SagaID]
    ) async throws -> Digest {
        Digest(
            try await connection.query(
                """
                SELECT count(*), bit_xor(uuid_hash_extended(saga_id, hashtextextended(\(terms), 0))) FROM \(view)
                WHERE \(range.condition(on: "saga_id")) AND saga_id <> ALL($3)
                """, range.parameters + [others.map(\.uuid)], as: (Int, Int?).self
            ).first)
    }

    /// How many timers of the range belong to no saga, or are about something that no purchase has a timer for.
    private func strays(_ range: SagaSelection) async throws -> Int {
        let timers = try await timers(range)
        guard timers.allSatisfy({ $1 == "hold" }) else { return 1 }
        return try await sagas.query(
            """
            SELECT count(*) FROM unnest($1::uuid[]) AS timer (id)
            WHERE NOT EXISTS (SELECT FROM saga WHERE saga.id = timer.id AND \(range.condition(on: "saga.id", after: 1)))
            """, [timers.map(\.0.uuid)] + range.parameters, as: (Int).self
        ).first ?? 0
    }
}
