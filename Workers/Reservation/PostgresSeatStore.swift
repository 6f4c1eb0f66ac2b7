import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres

/// The stock in the schema `reservation`.
///
/// Rows are locked in one order everywhere, holds by saga, then tiers, then seats; so replicas wait for each other
/// and do not deadlock.
package struct PostgresSeatStore: SeatStore {
    package init() {}

    package func open(_ demand: Demand, in transaction: Transaction) async throws -> Stock {
        var stock = try await holdsAndTiers(for: demand, in: transaction)
        guard stock.tiers.values.contains(where: \.isSeated) else { return stock }
        let windows = try await bestSeats(for: demand, in: stock, in: transaction)
        let named = try await namedSeats(for: demand, in: stock, in: transaction)
        stock.seats = windows.merging(named) { window, named in
            let names = Set(named.map { ExactText($0.name) })
            return named + window.filter { !names.contains(ExactText($0.name)) }
        }
        return stock
    }

    private typealias HoldRow = (Date, UUID?, UUID?, String?, Int?, [String]?, String?, Date?)
    private typealias TierRow = (UUID, String, Int, Int, Int, Bool, Int, Int)

    /// The holds of the sagas, then the tiers that are wanted or held: two statements, one round trip.
    private func holdsAndTiers(for demand: Demand, in transaction: Transaction) async throws -> Stock {
        let (holds, tiers) = try await transaction.query(
            selectHolds(of: demand.sagas), as: HoldRow.self,
            selectTiers(demand.tiers.sorted(), andThoseOf: demand.sagas), as: TierRow.self)
        var stock = try stock(holds)
        stock.tiers = Dictionary(tiers.map(tier)) { _, last in last }
        return stock
    }

    /// The left join answers with the time also when there is no hold.
    private func selectHolds(of sagas: [SagaID]) -> Statement {
        Statement(
            """
            WITH locked AS (
                SELECT saga_id, event_id, tier, quantity, seats, status, deadline
                FROM hold
                WHERE saga_id = ANY($1)
                ORDER BY saga_id
                FOR NO KEY UPDATE
            )
            SELECT now(), locked.*
            FROM (VALUES (1)) AS moment LEFT JOIN locked ON true
            """,
            sagas.map(\.uuid))
    }

    /// By the time that this runs the holds are locked, so it sees what their tiers are.
    private func selectTiers(_ ids: [TierID], andThoseOf sagas: [SagaID]) -> Statement {
        Statement(
            """
            SELECT tier.event_id, tier.name, capacity, held, sold, is_seated, stocked, version
            FROM tier JOIN (
                SELECT event_id, name FROM unnest($1, $2) AS wanted (event_id, name)
                UNION
                SELECT event_id, tier FROM hold WHERE saga_id = ANY($3)
            ) AS touched ON tier.event_id = touched.event_id AND tier.name = touched.name
            ORDER BY tier.event_id, tier.name
            FOR NO KEY UPDATE OF tier
            """,
            ids.map(\.event.uuid), ids.map(\.name), sagas.map(\.uuid))
    }

    private func stock(_ rows: [HoldRow]) throws -> Stock {
        guard let now = rows.first?.0 else { throw StockFault(what: "the database did not tell the time") }
        var stock = Stock(now: now)
        stock.holds.reserveCapacity(rows.count)
        for (_, saga, event, tier, quantity, seats, status, deadline) in rows {
            guard let saga, let status else { continue }
            guard let status = Hold.Status(rawValue: status) else { throw StockFault(what: "a hold is \(status)") }
            var places: Hold.Places?
            if let event, let tier, let quantity, let seats, let deadline {
                places = Hold.Places(
                    tier: TierID(event: EventID(event), name: tier), quantity: quantity, seats: seats,
                    deadline: deadline)
            }
            let id = SagaID(saga)
            stock.holds[id] = Hold(saga: id, places: places, status: status)
        }
        return stock
    }

    private func tier(_ row: TierRow) -> (TierID, Tier) {
        let (event, name, capacity, held, sold, isSeated, stocked, version) = row
        let id = TierID(event: EventID(event), name: name)
        let tier = Tier(
            id: id, capacity: capacity, held: held, sold: sold, isSeated: isSeated, stocked: stocked, version: version)
        return (id, tier)
    }

    /// The seats that are wanted by name, and those that may come free, whose ranks are needed then.
    private func namedSeats(
        for demand: Demand, in stock: Stock, in transaction: Transaction
    ) async throws -> [TierID: [Seat]] {
        var names = demand.named.filter { stock.tiers[$0.key]?.isSeated == true }
        for saga in demand.releasing {
            guard let places = stock.holds[saga]?.places, !places.seats.isEmpty else { continue }
            names[places.tier, default: []].formUnion(places.seats.map(ExactText.init))
        }
        let wanted = names.sorted { $0.key < $1.key }.flatMap { tier, names in names.sorted().map { (tier, $0) } }
        guard !wanted.isEmpty else { return [:] }
        return try await seats(
            """
            SELECT seat.event_id, seat.tier, seat.name, rank, status, saga_id
            FROM seat JOIN unnest($1, $2, $3) AS wanted (event_id, tier, name)
                ON seat.event_id = wanted.event_id AND seat.tier = wanted.tier AND seat.name = wanted.name
            ORDER BY seat.event_id, seat.tier, seat.name
            FOR NO KEY UPDATE OF seat
            """,
            [wanted.map(\.0.event.uuid), wanted.map(\.0.name), wanted.map(\.1.text)], in: transaction)
    }

    /// The best free seats of each tier; its lock keeps them free, and the window keeps large halls out of memory.
    private func bestSeats(
        for demand: Demand, in stock: Stock, in transaction: Transaction
    ) async throws -> [TierID: [Seat]] {
        let tiers = demand.unnamed.keys.filter { stock.tiers[$0]?.isSeated == true }.sorted()
        guard !tiers.isEmpty else { return [:] }
        return try await seats(
            """
            SELECT wanted.event_id, wanted.tier, best.name, best.rank, best.status, best.saga_id
            FROM unnest($1, $2, $3) AS wanted (event_id, tier, size) CROSS JOIN LATERAL (
                SELECT name, rank, status, saga_id
                FROM seat
                WHERE event_id = wanted.event_id AND tier = wanted.tier AND status = 'free'
                ORDER BY rank
                LIMIT wanted.size
            ) AS best
            """,
            [tiers.map(\.event.uuid), tiers.map(\.name), tiers.map(demand.window)], in: transaction)
    }

    private func seats(
        _ sql: String, _ parameters: [any PostgresEncodable], in transaction: Transaction
    ) async throws -> [TierID: [Seat]] {
        let rows = try await transaction.query(
            sql, parameters, as: (UUID, String, String, Int, String, UUID?).self)
        var seats: [TierID: [Seat]] = [:]
        for (event, tier, name, rank, status, saga) in rows {
            let state = try Seat.State(status: status, saga: saga.map { SagaID($0) })
            seats[TierID(event: EventID(event), name: tier), default: []]
                .append(Seat(name: name, rank: rank, state: state))
        }
        return seats
    }
}

/// The stock is not as our own rules leave it; trying again does not help.
package struct StockFault: RecoverableFailure, CustomStringConvertible {
    package let isTransient = false
    let what: String

    package init(what: String) { self.what = what }

    package var description: String { "the stock is inconsistent: \(what)" }
}
