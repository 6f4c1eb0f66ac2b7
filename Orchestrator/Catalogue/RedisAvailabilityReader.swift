import Contracts
import FoundationEssentials
import Redis

/// The keys `availability:{event}` of Redis, which the reservation worker writes.
package struct RedisAvailabilityReader: AvailabilityReader {
    let redis: RedisClient
    let prefix: String

    package init(_ redis: RedisClient, prefix: String) {
        self.redis = redis
        self.prefix = prefix
    }

    package func availability(of events: [EventID]) async throws -> [EventID: Data] {
        let replies = try await redis.pipeline(events.map { RedisCommand("GET", "\(prefix)availability:\($0)") })
        var found: [EventID: Data] = [:]
        for (event, reply) in zip(events, replies) {
            if case .bytes(let data) = reply { found[event] = data }
        }
        return found
    }
}
