import Catalogue
import Contracts
import Foundation
import Logging
import OrchestratorService
import Purchases
import Redis
import Reservation
import Simulation
import TestKit
import Testing
import WireJSON

@Suite struct `A purchase cache` {
    @Test func `in memory keeps its promises`() throws {
        try inMemory { process in
            let cache = MemoryCache(process.universe)
            let client = MemoryCacheClient(cache, process)
            try await keepPromises(client, client, client) { cache.holder(of: $0) }
        }
    }

    @Test(.enabled(if: TestServers.haveAll)) func `in Redis keeps its promises`() async throws {
        let url = try #require(TestServers.redisURL)
        let redis = RedisClient(try RedisConfiguration(url: url), logger: Logger(label: "test"))
        let prefix = uniqueName("conformance") + ":"
        try await keepPromises(
            RedisPurchaseCache(redis, prefix: prefix), RedisAvailability(redis, prefix: prefix),
            RedisAvailabilityReader(redis, prefix: prefix)
        ) { intent in
            let key = "\(prefix)intent:\(intent.event):\(intent.user)"
            return try await redis.pipeline([RedisCommand("GET", key)])[0].text.flatMap { SagaID($0) }
        }
        await redis.close()
    }
}

/// What every cache promises while it works; `holder` tells who has marked an intent.
private func keepPromises(
    _ purchases: some PurchaseCache, _ availability: some AvailabilityCache, _ reader: some AvailabilityReader,
    holder: (Intent) async throws -> SagaID?
) async throws {
    let intent = Intent(event: fresh(), user: "anna")
    let (first, second) = (fresh(SagaID.self), fresh(SagaID.self))
    try await purchases.note([
        .begun(intent, first, hold: .seconds(60)), .begun(intent, second, hold: .seconds(60)),
    ])
    #expect(try await holder(intent) == first, "the first to mark an intent has it")
    try await purchases.note([.ended(intent, second)])
    #expect(try await holder(intent) == first, "nobody takes away another one's mark")
    try await purchases.note([.ended(intent, first)])
    #expect(try await holder(intent) == nil)

    let event = fresh(EventID.self)
    let other = fresh(EventID.self)
    try await availability.store([event: numbers(version: 5, available: 3)])
    try await availability.store([event: numbers(version: 4, available: 9)])
    #expect(try await left(of: event, in: reader) == 3, "older numbers do not replace newer ones")
    try await availability.store([event: numbers(version: 6, available: 2), other: numbers(version: 1, available: 7)])
    #expect(try await left(of: event, in: reader) == 2)
    try await availability.store([event: numbers(version: 1, available: 8, epoch: "restored")])
    #expect(try await left(of: event, in: reader) == 8, "versions of another stock say nothing about this one")
    try await availability.store([event: numbers(version: 2, available: 7, epoch: "restored")])
    try await availability.store([event: numbers(version: 1, available: 8, epoch: "restored")])
    #expect(try await left(of: event, in: reader) == 7)
    #expect(try await reader.availability(of: [fresh()]).isEmpty)
    #expect(try await reader.availability(of: [event, other]).count == 2)
}

private func numbers(version: Int, available: Int, epoch: String = "first") throws -> Reservation.Availability {
    let text = """
        {"version":\(version),"epoch":"\(epoch)","asOf":"2026-11-20T10:00:00.000Z",
        "tiers":[{"name":"floor","capacity":10,"available":\(available),"version":\(version)}]}
        """
    return try WireFormat.decode(Reservation.Availability.self, fromText: text)
}

private func left(of event: EventID, in cache: some AvailabilityReader) async throws -> Int? {
    guard let text = try await cache.availability(of: [event])[event] else { return nil }
    return try WireFormat.decode(CachedAvailability.self, from: text).tiers.first?.available
}
