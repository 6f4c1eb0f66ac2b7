import Contracts
import FleetRuntime
import FoundationEssentials
import Logging
import Redis

/// What Redis knows in passing: who is buying what now, and which tiers look sold out.
///
/// Every answer is a hint that PostgreSQL confirms before anybody is refused; without Redis there are no hints.
package struct PurchaseHints: Sendable {
    let redis: RedisClient
    let prefix: String
    let health: HealthBoard
    let logger: Logger

    package init(_ redis: RedisClient, prefix: String, health: HealthBoard, logger: Logger) {
        self.redis = redis
        self.prefix = prefix
        self.health = health
        self.logger = logger
    }

    private static let deleteIfEqual = RedisScript(
        """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
        return 0
        """)

    /// What is remaining per tier, as last cached.
    func availability(of events: [EventID]) async -> [EventID: CachedAvailability] {
        guard !events.isEmpty else { return [:] }
        let replies = await ask(events.map { RedisCommand("GET", "\(prefix)availability:\($0)") })
        var found: [EventID: CachedAvailability] = [:]
        for (event, reply) in zip(events, replies) {
            guard case .bytes(let data) = reply else { continue }
            do {
                found[event] = try WireFormat.decode(CachedAvailability.self, from: data)
            } catch {
                logger.warning("a cached availability makes no sense", metadata: ["event": "\(event)"])
            }
        }
        return found
    }

    /// Marks purchases as under way.
    func claim(_ purchases: [(intent: Intent, saga: SagaID, hold: Duration)]) async {
        _ = await ask(
            purchases.map { purchase in
                let lifetime = purchase.hold + .seconds(60)
                return RedisCommand(
                    "SET", key(purchase.intent), purchase.saga.description, "NX", "PX",
                    "\(lifetime.nanoseconds / 1_000_000)")
            })
    }

    /// Unmarks purchases that ended, each only if the mark is its own.
    func release(_ purchases: [(intent: Intent, saga: SagaID)]) async {
        _ = await ask(
            purchases.map { purchase in
                .evaluate(Self.deleteIfEqual, keys: [key(purchase.intent)], arguments: [purchase.saga.description])
            })
    }

    private func key(_ intent: Intent) -> String {
        "\(prefix)intent:\(intent.event):\(intent.user)"
    }

    private func ask(_ commands: [RedisCommand]) async -> [RedisReply] {
        guard !commands.isEmpty else { return [] }
        do {
            let replies = try await redis.pipeline(commands)
            health.report(.ready, for: "redis")
            return replies
        } catch {
            health.report(.degraded("\(error)"), for: "redis")
            return []
        }
    }
}

/// One user's wish for one event.
package struct Intent: Sendable, Hashable {
    package let event: EventID
    package let user: String

    /// The form in which PostgreSQL keeps it unique.
    var text: String { "\(event):\(user)" }
}

/// What the reservation worker left in the cache.
package struct CachedAvailability: Codable, Sendable {
    package struct Tier: Codable, Sendable {
        package let name: String
        package let capacity: Int
        package let available: Int
    }

    package let asOf: Date
    package let tiers: [Tier]
}
