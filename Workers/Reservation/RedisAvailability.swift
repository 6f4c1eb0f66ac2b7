import Connections
import Contracts
import Redis
import WireJSON

/// Where the numbers are told to.
package protocol AvailabilityCache: Sendable {
    /// Keeps what is not older than what is there, unless that is of another stock.
    func store(_ availability: [EventID: Availability]) async throws
}

/// The keys `availability:{event}`: one JSON text per event, replaced only by one that is not older.
///
/// A key ends within a minute, whoever has written it and whoever has died: what changes is written again at once, and
/// what rests is read from the stock itself.
package struct RedisAvailability: AvailabilityCache {
    private static let lifetime = 60_000

    private let redis: RedisClient
    private let prefix: String

    package init(_ redis: RedisClient, prefix: String) {
        self.redis = redis
        self.prefix = prefix
    }

    /// Writes all events in one round trip; their lives differ, so that they do not end together.
    package func store(_ availability: [EventID: Availability]) async throws {
        let commands = try availability.map { event, availability in
            RedisCommand.evaluate(
                Self.setUnlessOlder, keys: ["\(prefix)availability:\(event)"],
                arguments: [
                    availability.version, try WireFormat.encode(availability),
                    Int(Double(Self.lifetime) * RuntimeEnvironment.random(in: 0.75...1)), availability.epoch ?? "",
                    Self.lifetime,
                ])
        }
        for case .error(let words) in try await redis.pipeline(commands) {
            throw RedisError(.serverError(words), detail: "an availability was not written")
        }
    }

    /// Overwritten is also what is of another stock or type, cannot be read, or would live longer than we let anything
    /// live: that is not ours.
    private static let setUnlessOlder = RedisScript(
        """
        local old = redis.pcall('GET', KEYS[1])
        local rest = redis.call('PTTL', KEYS[1])
        if type(old) == 'string' and rest >= 0 and rest <= tonumber(ARGV[5]) then
            local readable, value = pcall(cjson.decode, old)
            if readable and type(value) == 'table' and (value.epoch or '') == ARGV[4]
                and (tonumber(value.version) or 0) > tonumber(ARGV[1]) then
                return 0
            end
        end
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        return 1
        """)
}
