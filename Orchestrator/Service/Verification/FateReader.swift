import Contracts
import FoundationEssentials
import Postgres

/// Reads what sagas left in each schema: a range of ids at a time, or chosen ones.
struct FateReader: Sendable {
    /// Ids after one and up to another, or some by name.
    enum Choice: Sendable {
        case range(after: SagaID?, upTo: SagaID?)
        case some([SagaID])

        fileprivate func condition(on column: String) -> String {
            switch self {
            case .range: "($1::uuid IS NULL OR \(column) > $1) AND ($2::uuid IS NULL OR \(column) <= $2)"
            case .some: "\(column) = ANY($1)"
            }
        }

        fileprivate var parameters: [any PostgresEncodable] {
            switch self {
            case .range(let lower, let upper): [lower?.uuid, upper?.uuid]
            case .some(let ids): [ids.map(\.uuid)]
            }
        }
    }

    private let sagas: PostgresConnection
    private let holds: PostgresConnection
    private let charges: PostgresConnection
    private let letters: PostgresConnection
    private let timers: PostgresConnection

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

    /// The next page of sagas in the order of their ids.
    func page(after last: SagaID?, _ limit: Int) async throws -> [(SagaID, Fate.Saga)] {
        try await sagas.query(
            """
            SELECT \(Self.sagaColumns) FROM saga WHERE kind = 'purchase' AND ($1::uuid IS NULL OR id > $1)
            ORDER BY id LIMIT $2
            """, [last?.uuid, limit], as: SagaColumns.self
        ).map(Self.saga)
    }

    func sagas(_ ids: [SagaID]) async throws -> [SagaID: Fate.Saga] {
        let rows = try await sagas.query(
            "SELECT \(Self.sagaColumns) FROM saga WHERE kind = 'purchase' AND id = ANY($1)", [ids.map(\.uuid)],
            as: SagaColumns.self)
        return Dictionary(uniqueKeysWithValues: rows.map(Self.saga))
    }

    /// Adds to the fates what the workers' schemas hold of them.
    func complete(_ fates: inout [SagaID: Fate], _ choice: Choice) async throws {
        async let holds = holds(choice)
        async let charges = charges(choice)
        async let letters = letters(choice)
        async let timers = timers(choice)
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

    private func holds(_ choice: Choice) async throws -> [(SagaID, Fate.Hold)] {
        try await holds.query(
            "SELECT saga_id, status, quantity FROM reservation.hold_list WHERE \(choice.condition(on: "saga_id"))",
            choice.parameters, as: (UUID, String, Int).self
        ).map { (SagaID($0), Fate.Hold(status: $1, quantity: $2)) }
    }

    private func charges(_ choice: Choice) async throws -> [(SagaID, Fate.Charge)] {
        try await charges.query(
            """
            SELECT saga_id, status, amount_minor, currency, next_check_at IS NULL FROM payment.charge_list
            WHERE \(choice.condition(on: "saga_id"))
            """,
            choice.parameters, as: (UUID, String, Int, String, Bool).self
        ).map { (SagaID($0), Fate.Charge(status: $1, amount: $2, currency: $3, isFinished: $4)) }
    }

    private func letters(_ choice: Choice) async throws -> [(SagaID, String, String)] {
        try await letters.query(
            """
            SELECT saga_id, template, status FROM notification.notification_list
            WHERE \(choice.condition(on: "saga_id"))
            """,
            choice.parameters, as: (UUID, String, String).self
        ).map { (SagaID($0), $1, $2) }
    }

    private func timers(_ choice: Choice) async throws -> [SagaID] {
        try await timers.query(
            "SELECT saga_id FROM expiry.timer_list WHERE \(choice.condition(on: "saga_id"))", choice.parameters,
            as: (UUID).self
        ).map { SagaID($0) }
    }
}
