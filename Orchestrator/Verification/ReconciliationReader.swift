import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres

/// Reads what sagas left in each schema: a range of them at a time, or some by name.
struct ReconciliationReader: Sendable {
    let sagas: PostgresConnection
    let holds: PostgresConnection
    let charges: PostgresConnection
    let letters: PostgresConnection
    let timers: PostgresConnection
    let tickets: PostgresConnection

    static let connections = 6

    /// - Parameter connections: six, so that the tables are read at the same time.
    init(_ connections: [PostgresConnection]) {
        precondition(connections.count == Self.connections, "a reader takes a connection for each table")
        sagas = connections[0]
        holds = connections[1]
        charges = connections[2]
        letters = connections[3]
        timers = connections[4]
        tickets = connections[5]
    }

    private static let sagaColumns = """
        id, version, state, outcome IS NOT NULL, wake_at IS NULL, wish IS NOT NULL AND known IS NOT NULL,
        \(Terms.ofSaga.hold), \(Terms.ofSaga.charge), \(Terms.ofSaga.chargeID), \(Terms.ofSaga.letter),
        coalesce((
            SELECT string_agg(\(Terms.ofSaga.ticket), ', ' ORDER BY (ticket ->> 'id') COLLATE "C")
            FROM jsonb_array_elements(
                CASE jsonb_typeof(known -> 'tickets') WHEN 'array' THEN known -> 'tickets' END) AS ticket), ''),
        \(Terms.ofSaga.isFiledRightly)
        """

    private typealias SagaColumns = (
        UUID, Int, String, Bool, Bool, Bool, String, String, String?, String, String, Bool
    )

    /// A request that is no JSON is no reason to look at nothing else.
    func sagas(_ selection: SagaSelection) async throws -> [(SagaID, Reconciliation.Saga)] {
        do {
            return try await sagas(selection, carefully: false)
        } catch {
            guard error.code == .invalidData else { throw error }
            return try await sagas(selection, carefully: true)
        }
    }

    private func sagas(
        _ selection: SagaSelection, carefully: Bool
    ) async throws(PostgresError) -> [(SagaID, Reconciliation.Saga)] {
        let rows = try await sagas.query(
            "SELECT \(Self.sagaColumns) FROM \(Terms.sagas(where: selection.condition(on: "id"), carefully: carefully))",
            selection.parameters, as: SagaColumns.self)
        return rows.map(Self.saga)
    }

    /// Adds to the fates what the workers' schemas hold of them.
    func complete(_ fates: inout [SagaID: Reconciliation], _ selection: SagaSelection) async throws {
        async let holds = holds(selection)
        async let charges = charges(selection)
        async let letters = letters(selection)
        async let timers = timers(selection)
        async let tickets = tickets(selection)
        for (id, hold) in try await holds { fates[id, default: Reconciliation()].hold = hold }
        for (id, charge) in try await charges { fates[id, default: Reconciliation()].charge = charge }
        for (id, template, letter) in try await letters {
            fates[id, default: Reconciliation()].letters[template] = letter
        }
        for (id, subject) in try await timers { fates[id, default: Reconciliation()].timers.append(subject) }
        for (id, list) in try await tickets { fates[id, default: Reconciliation()].tickets = list }
    }

    private static func saga(_ row: SagaColumns) -> (SagaID, Reconciliation.Saga) {
        let terms = Reconciliation.SagaTerms(
            hold: row.6, charge: row.7, chargeID: row.8, letter: row.9, tickets: row.10, isFiledRightly: row.11)
        return (
            SagaID(row.0),
            Reconciliation.Saga(
                version: row.1, state: row.2, isOver: row.3, isSettled: row.4, terms: row.5 ? terms : nil)
        )
    }

    private func holds(_ selection: SagaSelection) async throws -> [(SagaID, Reconciliation.Hold)] {
        try await holds.query(
            """
            SELECT saga_id, status, CASE WHEN quantity > 0 THEN \(Terms.ofHold) END FROM reservation.hold_list
            WHERE \(selection.condition(on: "saga_id"))
            """,
            selection.parameters, as: (UUID, String, String?).self
        ).map { (SagaID($0), Reconciliation.Hold(status: $1, terms: $2)) }
    }

    private func charges(_ selection: SagaSelection) async throws -> [(SagaID, Reconciliation.Charge)] {
        try await charges.query(
            """
            SELECT saga_id, status, CASE WHEN method <> 'none' THEN \(Terms.ofCharge) END, provider_id,
                next_check_at IS NULL
            FROM payment.charge_list WHERE \(selection.condition(on: "saga_id"))
            """,
            selection.parameters, as: (UUID, String, String?, String?, Bool).self
        ).map { (SagaID($0), Reconciliation.Charge(status: $1, terms: $2, providerID: $3, isFinished: $4)) }
    }

    private func letters(_ selection: SagaSelection) async throws -> [(SagaID, String, Reconciliation.Letter)] {
        try await letters.query(
            """
            SELECT saga_id, template, status, \(Terms.ofLetter) FROM notification.notification_list
            WHERE \(selection.condition(on: "saga_id"))
            """,
            selection.parameters, as: (UUID, String, String, String).self
        ).map { (SagaID($0), $1, Reconciliation.Letter(status: $2, terms: $3)) }
    }

    private func tickets(_ selection: SagaSelection) async throws -> [(SagaID, String)] {
        try await tickets.query(
            """
            SELECT saga_id, string_agg(\(Terms.ofTicket), ', ' ORDER BY id::text COLLATE "C")
            FROM reservation.ticket_list WHERE \(selection.condition(on: "saga_id")) GROUP BY saga_id
            """,
            selection.parameters, as: (UUID, String).self
        ).map { (SagaID($0), $1) }
    }

    func timers(_ selection: SagaSelection) async throws -> [(SagaID, String)] {
        try await timers.query(
            "SELECT saga_id, subject FROM expiry.timer_list WHERE \(selection.condition(on: "saga_id"))",
            selection.parameters, as: (UUID, String).self
        ).map { (SagaID($0), $1) }
    }
}
