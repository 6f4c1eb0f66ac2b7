import Connections
import Contracts
import FoundationEssentials
import Postgres

/// A tier of an event.
package struct TierKey: Sendable, Hashable {
    package let event: EventID
    package let name: String

    package init(event: EventID, name: String) {
        self.event = event
        self.name = name
    }
}

/// The stock as the reservation worker publishes it for reading.
package protocol StockView: Sendable {
    /// How many places each of the tiers has left now; those that do not exist are left out.
    func left(in tiers: Set<TierKey>) async throws -> [TierKey: Int]
    /// Every tier of an event, with what is left.
    func availability(of event: EventID) async throws -> CachedAvailability
    /// Names the database's contents: another name means that another database stands in its place.
    func epoch() async throws -> StockEpoch
}

/// Which contents the database has, as far as caches must know.
package struct StockEpoch: Sendable, Equatable {
    /// Of the reservation worker's stock, which it caches with its numbers.
    package let stock: String
    /// Of everything that the orchestrator remembers.
    package let whole: String

    package init(stock: String, whole: String) {
        self.stock = stock
        self.whole = whole
    }
}

/// The view `reservation.availability`.
package struct PostgresStockView: StockView {
    let pool: PostgresPool

    package init(_ pool: PostgresPool) {
        self.pool = pool
    }

    package func left(in tiers: Set<TierKey>) async throws -> [TierKey: Int] {
        let tiers = Array(tiers)
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                """
                SELECT a.event_id, a.tier, a.available FROM reservation.availability a
                JOIN unnest($1::uuid[], $2::text[]) AS wanted (event_id, tier) USING (event_id, tier)
                """, [tiers.map(\.event.uuid), tiers.map(\.name)], as: (UUID, String, Int32).self)
        }
        return Dictionary(
            uniqueKeysWithValues: rows.map { (TierKey(event: EventID($0.0), name: $0.1), Int($0.2)) })
    }

    package func epoch() async throws -> StockEpoch {
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                """
                SELECT reservation.stock_epoch(), concat_ws('/', pg_relation_filenode('orchestrator.event'::regclass),
                    pg_relation_filenode('orchestrator.saga'::regclass))
                """, as: (String, String).self)
        }
        guard let row = rows.first else {
            throw PostgresError(.decoding, operation: "epoch", detail: "a SELECT without FROM gave no row")
        }
        return StockEpoch(stock: row.0, whole: "\(row.0) \(row.1)")
    }

    package func availability(of event: EventID) async throws -> CachedAvailability {
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                """
                SELECT tier, capacity, available, now() FROM reservation.availability WHERE event_id = $1 ORDER BY tier
                """, [event.uuid], as: (String, Int32, Int32, Date).self)
        }
        return CachedAvailability(
            asOf: rows.first?.3 ?? RuntimeEnvironment.date,
            tiers: rows.map { CachedAvailability.Tier(name: $0.0, capacity: Int($0.1), available: Int($0.2)) })
    }
}
