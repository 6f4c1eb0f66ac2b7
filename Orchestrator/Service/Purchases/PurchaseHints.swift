import Contracts
import CoreMetrics
import FleetRuntime
import FoundationEssentials
import Logging

/// What Redis knows in passing: who is buying what now, and which tiers look sold out.
///
/// Every answer is a hint that PostgreSQL confirms before anybody is refused; without Redis there are no hints.
package struct PurchaseHints: Sendable {
    let cache: any PurchaseCache
    let health: HealthBoard
    let logger: Logger
    let lookups = Labelled<Counter>(.cacheLookups, by: "result", [("cache", "availability")])

    package init(_ cache: any PurchaseCache, health: HealthBoard, logger: Logger) {
        self.cache = cache
        self.health = health
        self.logger = logger
    }

    /// What is remaining per tier, as last cached.
    func availability(of events: [EventID]) async -> [EventID: CachedAvailability] {
        guard !events.isEmpty else { return [:] }
        guard let texts = await ask(orElse: nil, { try await cache.availability(of: events) }) else {
            lookups["failed"].count(events.count)
            return [:]
        }
        var found: [EventID: CachedAvailability] = [:]
        for (event, text) in texts {
            do {
                found[event] = try WireFormat.decode(CachedAvailability.self, from: text)
            } catch {
                logger.warning("a cached availability makes no sense", metadata: ["eventId": "\(event)"])
            }
        }
        lookups.add(["hit": found.count, "miss": events.count - found.count])
        return found
    }

    /// Marks purchases as under way.
    func claim(_ purchases: [(intent: Intent, saga: SagaID, hold: Duration)]) async {
        guard !purchases.isEmpty else { return }
        await ask(orElse: ()) { try await cache.claim(purchases) }
    }

    /// Unmarks purchases that ended, each only if the mark is its own.
    func release(_ purchases: [(intent: Intent, saga: SagaID)]) async {
        guard !purchases.isEmpty else { return }
        await ask(orElse: ()) { try await cache.release(purchases) }
    }

    private func ask<Answer>(orElse fallback: Answer, _ question: () async throws -> Answer) async -> Answer {
        do {
            let answer = try await question()
            health.report(.ready, for: "redis")
            return answer
        } catch {
            health.report(.degraded("\(error)"), for: "redis")
            return fallback
        }
    }
}

/// One user's wish for one event.
package struct Intent: Sendable, Hashable {
    package let event: EventID
    package let user: String

    package init(event: EventID, user: String) {
        self.event = event
        self.user = user
    }

    /// The form in which PostgreSQL keeps it unique.
    var text: String { "\(event):\(user)" }
}

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

    package init(asOf: Date, tiers: [Tier]) {
        self.asOf = asOf
        self.tiers = tiers
    }
}
