import Catalogue
import Contracts
import FoundationEssentials
import OrchestratorService
import Purchases
import Redis
import Reservation
import Synchronization
import WireJSON

/// A cache that may fail, forget everything, or say what is not so.
package final class MemoryCache: Sendable {
    private struct State {
        var intents: [Intent: SagaID] = [:]
        var availability: [EventID: (version: Int, epoch: String?, text: Data)] = [:]
    }

    private let universe: Universe
    private let state = Mutex(State())

    package init(_ universe: Universe) {
        self.universe = universe
    }

    package func flush() {
        state.withLock { $0 = State() }
    }

    package func holder(of intent: Intent) -> SagaID? {
        state.withLock { $0.intents[intent] }
    }

    fileprivate func reach(_ process: Incarnation) async throws {
        try await process.step()
        guard universe.happens(\.brokenCache) else { return }
        if universe.number(in: 0...3) == 0 { flush() }
        throw RedisError(.timedOut, detail: "simulated")
    }

    fileprivate func read(_ events: [EventID]) throws -> [EventID: Data] {
        var found = state.withLock { state in
            events.reduce(into: [:]) { $0[$1] = state.availability[$1]?.text }
        }
        guard universe.happens(\.lyingCache) else { return found }
        for (event, text) in found.sorted(by: { $0.key < $1.key }) { found[event] = try lie(about: text) }
        return found
    }

    /// Says that everything, or nothing, is left; or makes no sense.
    private func lie(about text: Data) throws -> Data {
        let truth = try WireFormat.decode(CachedAvailability.self, from: text)
        let left: Int
        switch universe.number(in: 0...2) {
        case 0: return Data("[]".utf8)
        case 1: left = 0
        default: left = 1_000_000
        }
        return try WireFormat.encode(
            CachedAvailability(
                asOf: truth.asOf,
                tiers: truth.tiers.map { .init(name: $0.name, capacity: $0.capacity, available: left) }))
    }

    fileprivate func write(_ availability: [EventID: Reservation.Availability]) throws {
        try state.withLock { state in
            for (event, news) in availability {
                if let old = state.availability[event], old.epoch == news.epoch, old.version > news.version { continue }
                state.availability[event] = (news.version, news.epoch, try WireFormat.encode(news))
            }
        }
    }

    fileprivate func note(_ marks: [IntentMark]) {
        state.withLock { state in
            for mark in marks {
                switch mark {
                case .begun(let intent, let saga, _):
                    if state.intents[intent] == nil { state.intents[intent] = saga }
                case .ended(let intent, let saga):
                    if state.intents[intent] == saga { state.intents[intent] = nil }
                }
            }
        }
    }
}

/// One process's connection to the simulated cache.
package struct MemoryCacheClient: PurchaseCache, AvailabilityReader, AvailabilityCache {
    let cache: MemoryCache
    let process: Incarnation

    package init(_ cache: MemoryCache, _ process: Incarnation) {
        self.cache = cache
        self.process = process
    }

    package func availability(of events: [EventID]) async throws -> [EventID: Data] {
        try await cache.reach(process)
        return try cache.read(events)
    }

    package func note(_ marks: [IntentMark]) async throws {
        try await cache.reach(process)
        cache.note(marks)
    }

    package func store(_ availability: [EventID: Reservation.Availability]) async throws {
        try await cache.reach(process)
        try cache.write(availability)
    }
}
