import Contracts
import FleetRuntime
import FoundationEssentials
import Redis

/// A cache of who is buying what; it may forget, lie or fail.
package protocol PurchaseCache: Sendable {
    /// Notes the beginnings and the ends of purchases, in order.
    func note(_ marks: [IntentMark]) async throws
}

/// What became of a user's wish for an event.
package enum IntentMark: Sendable {
    /// A purchase is under way, for as long as it may hold seats; the first to mark an intent has it.
    case begun(Intent, SagaID, hold: Duration)
    /// A purchase has ended; only its own mark goes.
    case ended(Intent, SagaID)
}

/// The keys `intent:{event}:{user}` of Redis.
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

    package func note(_ marks: [IntentMark]) async throws {
        _ = try await redis.pipeline(marks.map(command))
    }

    private func command(_ mark: IntentMark) -> RedisCommand {
        switch mark {
        case .begun(let intent, let saga, let hold):
            let lifetime = hold + .seconds(60)
            return RedisCommand(
                "SET", key(intent), saga.description, "NX", "PX", "\(lifetime.nanoseconds / 1_000_000)")
        case .ended(let intent, let saga):
            return .evaluate(Self.deleteIfEqual, keys: [key(intent)], arguments: [saga.description])
        }
    }

    private func key(_ intent: Intent) -> String {
        "\(prefix)intent:\(intent.event):\(intent.user)"
    }
}
