import Connections
import Contracts
import FleetRuntime
import Logging
import ServiceLifecycle
import Synchronization

/// Tells Redis what is left of each event soon after it has changed; a hint that no sale waits for or depends on.
///
/// It remembers only which events changed and reads their newest counts when it gets to them, all tiers in one look,
/// so that versions grow in the order in which readers could have seen them. At most one look per `pause`, and one
/// round trip to Redis; an event that could not be told stays remembered.
package final class AvailabilityFeed: Service {
    /// Beyond this many changed events the rest is left to its next change, or to the keys' end.
    private static let capacity = 10_000
    private static let batch = 500
    private static let component = "availability cache"

    private let source: any AvailabilitySource
    private let cache: any AvailabilityCache
    private let pause: Duration
    private let health: HealthRegistry
    private let logger: Logger
    private let waiting = Mutex<Set<EventID>>([])
    private let (wakeUps, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    package init(
        from source: any AvailabilitySource, to cache: any AvailabilityCache, every pause: Duration = .milliseconds(50),
        health: HealthRegistry, logger: Logger
    ) {
        self.source = source
        self.cache = cache
        self.pause = pause
        self.health = health
        self.logger = logger
    }

    /// Remembers that the stock of these events has changed; returns at once.
    package func note(_ events: some Sequence<EventID>) {
        let isWorth = waiting.withLock { waiting in
            for event in events where waiting.count < Self.capacity { waiting.insert(event) }
            return !waiting.isEmpty
        }
        if isWorth { signal.yield() }
    }

    package func run() async throws {
        try await cancelledWhenStopping { await self.relay() }
        _ = await tell(take())
    }

    private func relay() async {
        var backoff = Backoff.reconnecting
        for await _ in wakeUps {
            let succeeded = await tell(take())
            if succeeded { backoff.reset() }
            await sleepUnlessStopped(succeeded ? pause : backoff.next())
        }
    }

    private func take() -> [EventID] {
        waiting.withLock { waiting in
            let events = Array(waiting.prefix(Self.batch))
            waiting.subtract(events)
            if !waiting.isEmpty { signal.yield() }
            return events
        }
    }

    private func tell(_ events: [EventID]) async -> Bool {
        guard !events.isEmpty else { return true }
        do {
            try await cache.store(try await source.availability(of: events))
            health.report(.ready, for: Self.component)
            return true
        } catch {
            logger.debug("availability could not be told", metadata: ["error": "\(error)"])
            health.report(.degraded("\(error)"), for: Self.component)
            note(events)
            return false
        }
    }
}
