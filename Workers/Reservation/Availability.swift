import Contracts
import FoundationEssentials
import Postgres

/// What is left of one event at one moment.
package struct Availability: Codable, Sendable, Equatable {
    package struct Tier: Codable, Sendable, Equatable {
        package let name: String
        package let capacity: Int
        package let available: Int
        package let version: Int

        package init(name: String, capacity: Int, available: Int, version: Int) {
            self.name = name
            self.capacity = capacity
            self.available = available
            self.version = version
        }
    }

    /// The sum of the tiers' versions, which every change raises.
    package let version: Int
    /// Names the stock that the numbers are of (`stock_epoch()`): versions of another say nothing about this one.
    package let epoch: String?
    /// By the database's clock.
    package let asOf: Date
    package let tiers: [Tier]

    package init(version: Int, epoch: String? = nil, asOf: Date, tiers: [Tier]) {
        self.version = version
        self.epoch = epoch
        self.asOf = asOf
        self.tiers = tiers
    }
}

/// Where the numbers come from.
package protocol AvailabilitySource: Sendable {
    /// The newest numbers of those events that exist, all tiers of an event as of one moment.
    func availability(of events: [EventID]) async throws -> [EventID: Availability]
}

/// The view that the schema publishes, read without locks on a connection of its own.
package struct PostgresAvailability: AvailabilitySource {
    private let connection: PostgresConnection

    package init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    package func availability(of events: [EventID]) async throws -> [EventID: Availability] {
        let rows = try await connection.query(
            """
            SELECT event_id, tier, capacity, available, version, now(), stock_epoch()
            FROM availability
            WHERE event_id = ANY($1)
            ORDER BY event_id, tier
            """,
            [events.map(\.uuid)], as: (UUID, String, Int, Int, Int, Date, String).self)
        return Dictionary(grouping: rows) { EventID($0.0) }.mapValues { rows in
            let tiers = rows.map { Availability.Tier(name: $0.1, capacity: $0.2, available: $0.3, version: $0.4) }
            return Availability(
                version: tiers.reduce(0) { $0 + $1.version }, epoch: rows[0].6, asOf: rows[0].5, tiers: tiers)
        }
    }
}
