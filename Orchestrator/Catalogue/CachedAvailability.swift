import Contracts
import FoundationEssentials

/// What the reservation worker left in the cache.
package struct CachedAvailability: Codable, Sendable {
    package struct Tier: Codable, Sendable {
        package let name: String
        package let capacity: Int
        package let available: Int

        package init(name: String, capacity: Int, available: Int) {
            self.name = name
            self.capacity = capacity
            self.available = available
        }
    }

    package let asOf: Date
    package let tiers: [Tier]
    /// The stock that it was read from; written by the reservation worker alone, and told to nobody.
    let epoch: String?

    package init(asOf: Date, tiers: [Tier]) {
        self.asOf = asOf
        self.tiers = tiers
        epoch = nil
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(asOf, forKey: .asOf)
        try container.encode(tiers, forKey: .tiers)
    }
}
