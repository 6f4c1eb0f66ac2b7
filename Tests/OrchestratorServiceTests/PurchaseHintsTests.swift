import Connections
import Contracts
import FleetRuntime
import Foundation
import Logging
import Synchronization
import TestKit
import Testing
import WireJSON

@testable import Catalogue
@testable import OrchestratorService
@testable import Purchases

/// How the cache hears of purchases that begin and end.
@Suite(.timeLimit(.minutes(1)))
struct `Hints of purchases` {
    /// Answers the first notes only when it is let go on, and fails them.
    private final class SlowCache: PurchaseCache {
        struct Down: Error {}

        let asked = AsyncStream<Void>.makeStream()
        let released = AsyncStream<Void>.makeStream()
        let heard = AsyncStream<[IntentMark]>.makeStream()
        private let calls = Mutex(0)

        func note(_ marks: [IntentMark]) async throws {
            let call = calls.withLock { calls in
                calls += 1
                return calls
            }
            guard call == 1 else {
                heard.continuation.yield(marks)
                return
            }
            asked.continuation.finish()
            for await _ in released.stream {}
            throw Down()
        }
    }

    @Test func `are told together and in order while the cache is slow, and after it failed`() async throws {
        let cache = SlowCache()
        let hints = PurchaseHints(cache, health: HealthRegistry())
        let intent = Intent(event: .make(), user: "anna")
        let (first, second) = (SagaID.make(), SagaID.make())
        hints.note([.begun(intent, first, hold: .seconds(1))])
        for await _ in cache.asked.stream {}
        hints.note([.ended(intent, first)])
        hints.note([])
        hints.note([.begun(intent, second, hold: .seconds(1)), .ended(intent, second)])
        cache.released.continuation.finish()
        var told = cache.heard.stream.makeAsyncIterator()
        let marks = try #require(await told.next())
        #expect(marks.map(\.saga) == [first, second, second])
        #expect(marks.map(\.isBeginning) == [false, true, false])
        hints.note([.ended(intent, first)])
        #expect(await told.next()?.count == 1)
    }

    /// Says how much is left of every event's only tier, and counts how often it is asked for each.
    private final class CountingCache: AvailabilityReader {
        let left: [EventID: Int]
        let asked = Mutex<[EventID: Int]>([:])

        init(left: [EventID: Int]) {
            self.left = left
        }

        func availability(of events: [EventID]) async throws -> [EventID: Data] {
            asked.withLock { asked in for event in events { asked[event, default: 0] += 1 } }
            return try Dictionary(
                uniqueKeysWithValues: events.compactMap { event in
                    guard let left = left[event] else { return nil }
                    let tier = CachedAvailability.Tier(name: "Floor", capacity: 1_000_000, available: left)
                    return (
                        event, try WireFormat.encode(CachedAvailability(asOf: RuntimeEnvironment.date, tiers: [tier]))
                    )
                })
        }
    }

    @Test func `are not asked for again while a tier cannot have sold out, and at once where it may have`() async {
        let (plenty, few, none, unknown) = (EventID.make(), EventID.make(), EventID.make(), EventID.make())
        let cache = CountingCache(left: [plenty: 1_000_000, few: 510, none: 3])
        let world = StandingClock()
        await RuntimeEnvironment.$simulated.withValue(world) {
            let hints = AvailabilityHints(
                cache, health: HealthRegistry(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let tiers = Dictionary(
                uniqueKeysWithValues: [plenty, few, none, unknown].map { (TierKey(event: $0, name: "Floor"), 4) })
            for _ in 0..<3 {
                #expect(await hints.scarce(among: tiers) == [TierKey(event: none, name: "Floor")])
            }
            #expect(cache.asked.withLock { $0 } == [plenty: 1, few: 1, none: 3, unknown: 3])
            for (pause, times) in [(Duration.milliseconds(49), 1), (.milliseconds(1), 2), (.milliseconds(49), 2)] {
                world.advance(by: pause)
                _ = await hints.scarce(among: tiers)
                #expect(cache.asked.withLock { $0[few] } == times)
            }
            #expect(cache.asked.withLock { $0[plenty] } == 1)
            world.advance(by: .seconds(1))
            _ = await hints.scarce(among: tiers)
            #expect(cache.asked.withLock { $0[plenty] } == 2)
        }
    }
}

/// What of the cache is a hint.
@Suite(.timeLimit(.minutes(1)))
struct `A cached availability` {
    /// Says the same of every event.
    private struct FixedCache: AvailabilityReader {
        let text: String

        func availability(of events: [EventID]) async throws -> [EventID: Data] {
            Dictionary(uniqueKeysWithValues: events.map { ($0, Data(text.utf8)) })
        }
    }

    /// Whether what was cached so long ago, of this stock, is told while the database holds `current`.
    private func isTold(age: Double, of stock: String?, now current: String?) async throws -> Bool {
        let epoch = stock.map { #""epoch":"\#($0)","# } ?? ""
        let asOf = WireFormat.text(of: Date(timeIntervalSinceNow: -age))
        let text = #"{"version":9,\#(epoch)"asOf":"\#(asOf)","tiers":[{"name":"Floor","capacity":9,"available":0}]}"#
        let hints = AvailabilityHints(
            FixedCache(text: text), health: HealthRegistry(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        if let current { hints.trust(only: current) }
        let event = EventID.make()
        let told = await hints.availability(of: [event])[event] != nil
        let tier = TierKey(event: event, name: "Floor")
        #expect(await hints.scarce(among: [tier: 1]).isEmpty == !told)
        return told
    }

    @Test func `is told for a minute, whoever does not end it`() async throws {
        #expect(try await isTold(age: 1, of: "a", now: "a"))
        #expect(try await isTold(age: 50, of: "a", now: "a"))
        #expect(try await !isTold(age: 70, of: "a", now: "a"))
        #expect(try await !isTold(age: -30, of: "a", now: "a"))
    }

    @Test func `of another database is not told, whatever its version`() async throws {
        #expect(try await !isTold(age: 1, of: "a", now: "b"))
        #expect(try await !isTold(age: 1, of: nil, now: "b"))
        #expect(try await isTold(age: 1, of: "a", now: nil))
    }
}

extension IntentMark {
    fileprivate var saga: SagaID {
        switch self {
        case .begun(_, let saga, _), .ended(_, let saga): saga
        }
    }

    fileprivate var isBeginning: Bool {
        if case .begun = self { true } else { false }
    }
}
