import Contracts
import FleetRuntime
import FoundationEssentials
import Redis

/// A cache of what purchases want to know in passing; it may forget, lie or fail.
package protocol PurchaseCache: Sendable {
    /// What is cached of the events' stock, as it was written there.
    func availability(of events: [EventID]) async throws -> [EventID: Data]
    /// Marks purchases as under way, unless another one is marked already.
    func claim(_ purchases: [(intent: Intent, saga: SagaID, hold: Duration)]) async throws
    /// Unmarks purchases, each only if the mark is its own.
    func release(_ purchases: [(intent: Intent, saga: SagaID)]) async throws
}

/// The keys `intent:{event}:{user}` and `availability:{event}` of Redis.
package struct RedisPurchaseCache: PurchaseCache {
    let redis: RedisClient
    let prefix: String

    package init(_ redis: RedisClient, prefix: String) {
        self.redis = redis
        self.prefix = prefix
    }

    private static let deleteIfEqual = RedisScript(
        """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
        return 0
        """)

    package func availability(of events: [EventID]) async throws -> [EventID: Data] {
        let replies = try await redis.pipeline(events.map { RedisCommand("GET", "\(prefix)availability:\($0)") })
        var found: [EventID: Data] = [:]
        for (event, reply) in zip(events, replies) {
            if case .bytes(let data) = reply { found[event] = data }
        }
        return found
    }

    package func claim(_ purchases: [(intent: Intent, saga: SagaID, hold: Duration)]) async throws {
        _ = try await redis.pipeline(
            purchases.map { purchase in
                let lifetime = purchase.hold + .seconds(60)
                return RedisCommand(
                    "SET", key(purchase.intent), purchase.saga.description, "NX", "PX",
                    "\(lifetime.nanoseconds / 1_000_000)")
            })
    }

    package func release(_ purchases: [(intent: Intent, saga: SagaID)]) async throws {
        _ = try await redis.pipeline(
            purchases.map { purchase in
                .evaluate(Self.deleteIfEqual, keys: [key(purchase.intent)], arguments: [purchase.saga.description])
            })
    }

    private func key(_ intent: Intent) -> String {
        "\(prefix)intent:\(intent.event):\(intent.user)"
    }
}
