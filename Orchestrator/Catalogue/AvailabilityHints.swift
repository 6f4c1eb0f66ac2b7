import Connections
import Contracts
import CoreMetrics
import FleetRuntime
import FoundationEssentials
import Logging
import Synchronization
import WireJSON

/// A cache of what is left of events; it may forget, lie or fail.
package protocol AvailabilityReader: Sendable {
    /// What is cached of the events' stock, as it was written there.
    func availability(of events: [EventID]) async throws -> [EventID: Data]
}

/// What Redis knows of the stock: which tiers look sold out.
///
/// Every answer is a hint that PostgreSQL confirms before anybody is refused; without Redis there are no hints. What is
/// older than a minute, or of another stock than the database holds now, is no hint either.
package struct AvailabilityHints: Sendable {
    private let cache: any AvailabilityReader
    private let health: HealthRegistry
    private let logger: Logger
    private let plenty = LocalAvailabilityCache()
    private let epoch = KnownEpoch()
    private let lookups = Labelled<Counter>(.cacheLookups, by: "result", [("cache", "availability")])

    package init(_ cache: any AvailabilityReader, health: HealthRegistry, logger: Logger) {
        self.cache = cache
        self.health = health
        self.logger = logger
    }

    /// Asks for something that is not there, only to learn whether there is an answer.
    package func probe() async {
        _ = await health.watching("redis", orElse: [:]) { try await cache.availability(of: [EventID.make()]) }
    }

    /// What is remaining per tier, as last cached.
    package func availability(of events: [EventID]) async -> [EventID: CachedAvailability] {
        guard !events.isEmpty else { return [:] }
        guard let texts = await health.watching("redis", orElse: nil, { try await cache.availability(of: events) })
        else {
            lookups["failed"].count(events.count)
            return [:]
        }
        var found: [EventID: CachedAvailability] = [:]
        for (event, text) in texts {
            do {
                let cached = try WireFormat.decode(CachedAvailability.self, from: text)
                if epoch.covers(cached) { found[event] = cached }
            } catch {
                logger.warning("a cached availability makes no sense", metadata: ["eventId": "\(event)"])
            }
        }
        lookups.add(["hit": found.count, "miss": events.count - found.count])
        return found
    }

    /// From now on only what was cached of this stock is a hint.
    package func trust(only epoch: String) {
        self.epoch.current.withLock { $0 = epoch }
        plenty.forget()
    }

    /// Those of the tiers that seem to have fewer places left than are wanted; events that had plenty just now are not
    /// asked about.
    package func scarce(among wanted: [TierKey: Int]) async -> Set<TierKey> {
        let cached = await availability(of: plenty.doubtful(among: Set(wanted.keys.map(\.event))))
        plenty.learn(cached)
        return Set(
            wanted.filter { tier, quantity in
                cached[tier.event]?.tiers.contains { $0.name == tier.name && $0.available < quantity } ?? false
            }.keys)
    }
}

/// Which stock the database holds, once that is known.
private final class KnownEpoch: Sendable {
    /// No writer lets a value live longer.
    private static let lifetime: TimeInterval = 60
    /// By how much the clocks of the database and of this machine may differ before hints are missed.
    private static let skew: TimeInterval = 5

    let current = Mutex<String?>(nil)

    func covers(_ cached: CachedAvailability) -> Bool {
        let age = RuntimeEnvironment.date.timeIntervalSince(cached.asOf)
        guard age >= -Self.skew, age <= Self.lifetime + Self.skew else { return false }
        return current.withLock { $0 == nil || $0 == cached.epoch }
    }
}

/// How long events cannot have sold out, by what was left of them; bounded, and only good for hints.
private final class LocalAvailabilityCache: Sendable {
    /// No tier sells faster than so many places a second.
    private static let fastest = 10_000
    /// What was heard longer ago than this is asked again in any case.
    private static let longest = Duration.seconds(1)
    private static let capacity = 10_000

    private let trusted = Mutex<[EventID: ContinuousClock.Instant]>([:])

    /// The events of which a tier may have too few places for a purchase since they were last asked about.
    func doubtful(among events: Set<EventID>) -> [EventID] {
        let now = RuntimeEnvironment.instant
        return trusted.withLock { trusted in
            events.filter { event in trusted[event].map { $0 <= now } ?? true }
        }
    }

    func forget() {
        trusted.withLock { $0 = [:] }
    }

    func learn(_ found: [EventID: CachedAvailability]) {
        guard !found.isEmpty else { return }
        let now = RuntimeEnvironment.instant
        trusted.withLock { trusted in
            if trusted.count + found.count > Self.capacity { trusted = [:] }
            for (event, availability) in found {
                let least = availability.tiers.map(\.available).min() ?? 0
                let spare = max(0, least - Limits.quantity.upperBound)
                trusted[event] = now + min(Self.longest, .seconds(1) * spare / Self.fastest)
            }
        }
    }
}
