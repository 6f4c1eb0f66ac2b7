import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Logging
import Postgres
import Redis
import Synchronization
import TestKit
import Testing
import WireJSON

@testable import Reservation

private let haveServers = TestServers.haveDatabase && TestServers.redisURL != nil

@Suite(.enabled(if: haveServers), .timeLimit(.minutes(2)))
struct AvailabilityFeedTests {
    private let prefix = uniqueName("test") + ":"

    private func redis() throws -> RedisClient {
        let url = try #require(TestServers.redisURL)
        return RedisClient(try RedisConfiguration(url: url), logger: Logger(label: "test"))
    }

    private func cached(_ event: EventID, in redis: RedisClient) async throws -> Availability? {
        guard let text = try await redis.pipeline([["GET", "\(prefix)availability:\(event)"]])[0].text else {
            return nil
        }
        return try WireFormat.decode(Availability.self, from: Data(text.utf8))
    }

    /// Runs the feed beside the body, and stops it in the orderly way.
    private func running(_ feed: AvailabilityFeed, _ body: () async throws -> Void) async throws {
        let task = Task { try await feed.run() }
        try await body()
        task.cancel()
        try await task.value
    }

    @Test func `after a commit Redis says what is left of the event`() async throws {
        try await withTestDatabase([(.reservation, ReservationService.migrations)]) { database in
            let redis = try redis()
            let feed = AvailabilityFeed(
                from: PostgresAvailability(database.connection(as: .reservation)),
                to: RedisAvailability(redis, prefix: prefix), every: .milliseconds(1), health: HealthRegistry(),
                logger: database.logger)
            let changed = ChangedEvents()
            let handler = AvailabilityTelling(
                IdempotentConsumer(
                    ReservationWorker(ledger: PostgresSeatStore(), changed: changed),
                    ledger: PostgresInboxStore(
                        database.connection(as: .reservation), meaning: PostgresSeatStore.meaning)),
                changed: changed, to: feed)
            let event = EventID.make()
            let tiers = ["balcony", "stalls"].map {
                StockEvent.Tier(name: $0, capacity: 10, seats: nil, firstRank: nil)
            }
            try await running(feed) {
                _ = try await handler.handle([try envelope(StockEvent(eventId: event, tiers: tiers), of: nil)])
                try await until { try await cached(event, in: redis)?.tiers.map(\.available) == [10, 10] }
                let saga = SagaID.make()
                let tier = TierID(event: event, name: "stalls")
                _ = try await handler.handle([try envelope(reserve(3, of: tier), of: saga)])
                try await until { try await cached(event, in: redis)?.tiers.map(\.available) == [10, 7] }
                _ = try await handler.handle([try envelope(ReleaseSeats(reason: "declined"), of: saga)])
                try await until { try await cached(event, in: redis)?.tiers.map(\.available) == [10, 10] }
            }
            let end = try #require(try await cached(event, in: redis))
            #expect(end.version == 4 && end.tiers.map(\.version) == [1, 3] && end.tiers.map(\.capacity) == [10, 10])
            let life = try await redis.pipeline([["PTTL", "\(prefix)availability:\(event)"]])[0].integer
            #expect((1...60_000).contains(life ?? 0))
        }
    }

    @Test func `older numbers never replace newer ones, and garbage is replaced`() async throws {
        let redis = try redis()
        let cache = RedisAvailability(redis, prefix: prefix)
        let event = EventID.make()
        func numbers(_ version: Int) -> Availability {
            Availability(
                version: version, asOf: noon,
                tiers: [.init(name: "floor", capacity: 9, available: 9 - version, version: version)])
        }
        _ = try await redis.pipeline([["SET", "\(prefix)availability:\(event)", "garbage"]])
        for version in [2, 3, 1] { try await cache.store([event: numbers(version)]) }
        #expect(try await cached(event, in: redis) == numbers(3))
    }

    @Test func `a key of another type is replaced, and does not keep other events from being told`() async throws {
        let redis = try redis()
        let cache = RedisAvailability(redis, prefix: prefix)
        let events = [EventID.make(), EventID.make()]
        let numbers = Availability(
            version: 1, asOf: noon, tiers: [.init(name: "floor", capacity: 9, available: 9, version: 1)])
        _ = try await redis.pipeline([["RPUSH", "\(prefix)availability:\(events[0])", "not ours"]])
        try await cache.store(Dictionary(uniqueKeysWithValues: events.map { ($0, numbers) }))
        for event in events { #expect(try await cached(event, in: redis) == numbers) }
    }

    @Test func `what outlives a minute, or is of another stock, is replaced whatever its version`() async throws {
        let redis = try redis()
        let cache = RedisAvailability(redis, prefix: prefix)
        let event = EventID.make()
        let truth = Availability(
            version: 1, epoch: "now", asOf: noon,
            tiers: [.init(name: "floor", capacity: 9, available: 9, version: 1)])
        for (epoch, life) in [("now", []), ("now", ["PX", "3600000"]), ("before", ["PX", "30000"])] {
            let lie = try WireFormat.encode(Availability(version: 1_000_000, epoch: epoch, asOf: noon, tiers: []))
            _ = try await redis.pipeline([
                RedisCommand(
                    words: ["SET", "\(prefix)availability:\(event)", lie] + life.map { $0 as any RedisArgument })
            ])
            try await cache.store([event: truth])
            #expect(try await cached(event, in: redis) == truth)
        }
    }

    @Test func `after an older backup was restored Redis says what is left in it`() async throws {
        try await withTestDatabase([(.reservation, ReservationService.migrations)]) { database in
            let redis = try redis()
            let source = PostgresAvailability(database.connection(as: .reservation))
            let cache = RedisAvailability(redis, prefix: prefix)
            let owner = database.owner()
            let event = EventID.make()
            let backup = Statement(
                """
                INSERT INTO reservation.tier (event_id, name, capacity, held, sold, is_seated, stocked, version)
                VALUES ($1, 'floor', 12, 0, 0, false, 0, 1)
                """, event.uuid)
            _ = try await owner.pipeline([backup])
            _ = try await owner.execute(
                "UPDATE reservation.tier SET sold = 12, version = 13 WHERE event_id = $1", [event.uuid])
            try await cache.store(try await source.availability(of: [event]))
            #expect(try await cached(event, in: redis)?.tiers.map(\.available) == [0])
            _ = try await owner.pipeline([Statement("TRUNCATE reservation.tier CASCADE"), backup])
            try await cache.store(try await source.availability(of: [event]))
            #expect(try await cached(event, in: redis)?.tiers.map(\.available) == [12])
            await owner.close()
        }
    }

    @Test func `a failure is told by health, and the event is told later`() async throws {
        let source = FlakySource()
        let health = HealthRegistry()
        let redis = try redis()
        let feed = AvailabilityFeed(
            from: source, to: RedisAvailability(redis, prefix: prefix), every: .milliseconds(1), health: health,
            logger: Logger(label: "test"))
        let event = EventID.make()
        try await running(feed) {
            feed.note([event])
            try await until { health.report.components.first?.status == .degraded("\(FlakySource.Unwilling())") }
            #expect(health.report.isReady)
            try await until { try await cached(event, in: redis)?.version == 7 }
            try await until { health.report.components.first?.status == .ready }
        }
    }
}

/// Fails the first time.
private final class FlakySource: AvailabilitySource {
    struct Unwilling: Error {}

    private let calls = Mutex(0)

    func availability(of events: [EventID]) async throws -> [EventID: Availability] {
        let call = calls.withLock { calls in
            calls += 1
            return calls
        }
        guard call > 1 else { throw Unwilling() }
        return Dictionary(uniqueKeysWithValues: events.map { ($0, Availability(version: 7, asOf: noon, tiers: [])) })
    }
}

/// Waits until the condition holds; the suite's time limit ends a wait in vain.
private func until(_ condition: () async throws -> Bool) async throws {
    while try await !condition() { try await Task.sleep(for: .milliseconds(2)) }
}
