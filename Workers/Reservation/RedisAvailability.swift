import Connections
import Contracts
import Redis

/// Where the numbers are told to.
package protocol AvailabilityCache: Sendable {
    /// Keeps what is not older than what is there.
    func store(_ availability: [EventID: Availability]) async throws
}

/// The keys `availability:{event}`: one JSON text per event, replaced only by one that is not older.
package struct RedisAvailability: AvailabilityCache {
    private let redis: RedisClient
    private let prefix: String

    package init(_ redis: RedisClient, prefix: String) {
        self.redis = redis
        self.prefix = prefix
    }

    /// Writes all events in one round trip; each lives an hour, more or less, so that they do not end together.
    package func store(_ availability: [EventID: Availability]) async throws {
        let commands = try availability.map { event, availability in
            RedisCommand.evaluate(
                Self.setUnlessOlder, keys: ["\(prefix)availability:\(event)"],
                arguments: [
                    availability.version, try WireFormat.encode(availability),
                    Int(3_600_000 * World.random(in: 0.9...1.1)),
                ])
        }
        for case .error(let words) in try await redis.pipeline(commands) {
            throw RedisError(.serverError(words), detail: "an availability was not written")
        }
    }

    /// What is there and cannot be read, or is of another type, is overwritten.
    private static let setUnlessOlder = RedisScript(
        """
        local old = redis.pcall('GET', KEYS[1])
        if type(old) == 'string' then
            local readable, value = pcall(cjson.decode, old)
            if readable and type(value) == 'table' and (tonumber(value.version) or 0) > tonumber(ARGV[1]) then
                return 0
            end
        end
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        return 1
        """)
}
