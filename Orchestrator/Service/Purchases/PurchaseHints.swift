import Connections
import Contracts
import CoreMetrics
import FleetRuntime
import FoundationEssentials
import Logging
import Synchronization

/// What Redis knows in passing: who is buying what now, and which tiers look sold out.
///
/// Every answer is a hint that PostgreSQL confirms before anybody is refused; without Redis there are no hints. What is
/// older than a minute, or of another stock than the database holds now, is no hint either.
package struct PurchaseHints: Sendable {
    /// From one telling of marks to the next; what gathers meanwhile shares a round trip.
    private static let pause = Duration.milliseconds(50)

    let cache: any PurchaseCache
    let health: HealthBoard
    let logger: Logger
    private let unsaid = UnsaidMarks()
    private let plenty = PlentyMemory()
    private let epoch = KnownEpoch()
    let lookups = Labelled<Counter>(.cacheLookups, by: "result", [("cache", "availability")])

    package init(_ cache: any PurchaseCache, health: HealthBoard, logger: Logger) {
        self.cache = cache
        self.health = health
        self.logger = logger
    }

    /// Asks for something that is not there, only to learn whether there is an answer.
    func probe() async {
        _ = await ask(orElse: [:]) { try await cache.availability(of: [EventID.make()]) }
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
    func trust(only epoch: String) {
        self.epoch.current.withLock { $0 = epoch }
        plenty.forget()
    }

    /// Those of the tiers that seem to have fewer places left than are wanted; events that had plenty just now are not
    /// asked about.
    func scarce(among wanted: [TierKey: Int]) async -> Set<TierKey> {
        let cached = await availability(of: plenty.doubtful(among: Set(wanted.keys.map(\.event))))
        plenty.learn(cached)
        return Set(
            wanted.filter { tier, quantity in
                cached[tier.event]?.tiers.contains { $0.name == tier.name && $0.available < quantity } ?? false
            }.keys)
    }

    /// Marks purchases as begun or ended, in order, some time soon; nobody waits for that.
    func note(_ marks: [IntentMark]) {
        guard !marks.isEmpty, unsaid.add(marks) else { return }
        World.task { await say() }
    }

    private func say() async {
        while let marks = unsaid.next() {
            await ask(orElse: ()) { try await cache.note(marks) }
            await sleepUnlessStopped(Self.pause)
        }
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

/// Marks on their way to the cache; when it is slow the newest are left out, for they are hints.
private final class UnsaidMarks: Sendable {
    private static let capacity = 20_000

    private let state = Mutex((marks: [IntentMark](), isBeingSaid: false))

    /// Whether somebody must begin to say them.
    func add(_ marks: [IntentMark]) -> Bool {
        state.withLock { state in
            if state.marks.count + marks.count <= Self.capacity { state.marks += marks }
            defer { state.isBeingSaid = true }
            return !state.isBeingSaid
        }
    }

    /// All that have gathered; nil, and nobody says them any more, when there are none.
    func next() -> [IntentMark]? {
        state.withLock { state in
            state.isBeingSaid = !state.marks.isEmpty
            guard state.isBeingSaid else { return nil }
            defer { state.marks = [] }
            return state.marks
        }
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
        let age = World.date.timeIntervalSince(cached.asOf)
        guard age >= -Self.skew, age <= Self.lifetime + Self.skew else { return false }
        return current.withLock { $0 == nil || $0 == cached.epoch }
    }
}

/// How long events cannot have sold out, by what was left of them; bounded, and only good for hints.
private final class PlentyMemory: Sendable {
    /// No tier sells faster than so many places a second.
    private static let fastest = 10_000
    /// What was heard longer ago than this is asked again in any case.
    private static let longest = Duration.seconds(1)
    private static let capacity = 10_000

    private let trusted = Mutex<[EventID: ContinuousClock.Instant]>([:])

    /// The events of which a tier may have too few places for a purchase since they were last asked about.
    func doubtful(among events: Set<EventID>) -> [EventID] {
        let now = World.instant
        return trusted.withLock { trusted in
            events.filter { event in trusted[event].map { $0 <= now } ?? true }
        }
    }

    func forget() {
        trusted.withLock { $0 = [:] }
    }

    func learn(_ found: [EventID: CachedAvailability]) {
        guard !found.isEmpty else { return }
        let now = World.instant
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
