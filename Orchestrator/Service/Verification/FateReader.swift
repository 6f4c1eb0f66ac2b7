import Contracts
import FoundationEssentials
import Postgres

/// Reads what sagas left in each schema: a range of them at a time, or some by name.
struct FateReader: Sendable {
    let sagas: PostgresConnection
    let holds: PostgresConnection
    let charges: PostgresConnection
    let letters: PostgresConnection
    let timers: PostgresConnection

    /// - Parameter connections: five, so that the schemas are read at the same time.
    init(_ connections: [PostgresConnection]) {
        precondition(connections.count == 5, "a reader takes a connection for each schema")
        sagas = connections[0]
        holds = connections[1]
        charges = connections[2]
        letters = connections[3]
        timers = connections[4]
    }

    private static let sagaColumns = """
        id, version, state, outcome IS NOT NULL, wake_at IS NULL, (request::jsonb ->> 'quantity')::int,
        (request::jsonb -> 'amount' ->> 'minor')::bigint, request::jsonb -> 'amount' ->> 'currency'
        """

    private typealias SagaColumns = (UUID, Int, String, Bool, Bool, Int, Int, String)

    func sagas(_ selection: SagaSelection) async throws -> [(SagaID, Fate.Saga)] {
        try await sagas.query(
            "SELECT \(Self.sagaColumns) FROM saga WHERE kind = 'purchase' AND \(selection.condition(on: "id"))",
            selection.parameters, as: SagaColumns.self
        ).map(Self.saga)
    }

    /// Adds to the fates what the workers' schemas hold of them.
    func complete(_ fates: inout [SagaID: Fate], _ selection: SagaSelection) async throws {
        async let holds = holds(selection)
        async let charges = charges(selection)
        async let letters = letters(selection)
        async let timers = timers(selection)
        for (id, hold) in try await holds { fates[id, default: Fate()].hold = hold }
        for (id, charge) in try await charges { fates[id, default: Fate()].charge = charge }
        for (id, template, status) in try await letters { fates[id, default: Fate()].letters[template] = status }
        for id in try await timers { fates[id, default: Fate()].hasTimer = true }
    }

    private static func saga(_ row: SagaColumns) -> (SagaID, Fate.Saga) {
        (
            SagaID(row.0),
            Fate.Saga(
                version: row.1, state: row.2, isOver: row.3, isSettled: row.4, quantity: row.5, amount: row.6,
                currency: row.7)
        )
    }

    private func holds(_ selection: SagaSelection) async throws -> [(SagaID, Fate.Hold)] {
        try await holds.query(
            "SELECT saga_id, status, quantity FROM reservation.hold_list WHERE \(selection.condition(on: "saga_id"))",
            selection.parameters, as: (UUID, String, Int).self
        ).map { (SagaID($0), Fate.Hold(status: $1, quantity: $2)) }
    }

    private func charges(_ selection: SagaSelection) async throws -> [(SagaID, Fate.Charge)] {
        try await charges.query(
            """
            SELECT saga_id, status, amount_minor, currency, next_check_at IS NULL FROM payment.charge_list
            WHERE \(selection.condition(on: "saga_id"))
            """,
            selection.parameters, as: (UUID, String, Int, String, Bool).self
        ).map { (SagaID($0), Fate.Charge(status: $1, amount: $2, currency: $3, isFinished: $4)) }
    }

    private func letters(_ selection: SagaSelection) async throws -> [(SagaID, String, String)] {
        try await letters.query(
            """
            SELECT saga_id, template, status FROM notification.notification_list
            WHERE \(selection.condition(on: "saga_id"))
            """,
            selection.parameters, as: (UUID, String, String).self
        ).map { (SagaID($0), $1, $2) }
    }

    func timers(_ selection: SagaSelection) async throws -> [SagaID] {
        try await timers.query(
            "SELECT saga_id FROM expiry.timer_list WHERE \(selection.condition(on: "saga_id"))", selection.parameters,
            as: (UUID).self
        ).map { SagaID($0) }
    }
}
