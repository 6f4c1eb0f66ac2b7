import FleetInspection
import Foundation
import Logging
import Redis
import TestKit
import Testing

@Suite(.enabled(if: TestServers.redisURL != nil), .timeLimit(.minutes(1)))
struct `The roll of the fleet` {
    private let prefix = uniqueName("test") + ":"

    private func client() throws -> RedisClient {
        var configuration = try RedisConfiguration(url: TestServers.redisURL ?? "")
        configuration.timeout = .seconds(1)
        return RedisClient(configuration, logger: Logger(label: "test"))
    }

    private func member(_ id: String, _ process: String) -> FleetMember {
        FleetMember(
            id: id, process: process, version: "1", builtAt: nil, host: "here", pid: 7, startedAt: Date(),
            status: "ready", lanes: [])
    }

    @Test func `names who signed, by process, until it leaves`() async throws {
        let roll = ProcessRegistry(try client(), prefix: prefix)
        #expect(try await roll.members() == [])
        try await roll.sign(member("b", "worker payment"))
        try await roll.sign(member("a", "orchestrator"))
        try await roll.sign(member("a", "orchestrator"))
        let members = try await roll.members()
        #expect(members.map(\.id) == ["a", "b"])
        #expect(members.allSatisfy { $0.isLive == true })
        try await roll.leave("a")
        #expect(try await roll.members().map(\.id) == ["b"])
    }

    @Test func `calls who did not sign for a while silent, and then forgets it`() async throws {
        let redis = try client()
        let roll = ProcessRegistry(redis, prefix: prefix)
        try await roll.sign(member("living", "worker expiry"))
        let now = Int64(Date().timeIntervalSince1970 * 1_000)
        let body =
            #"{"id":"ID","process":"worker expiry","version":"1","host":"there","pid":1,"#
            + #""startedAt":"2026-01-01T00:00:00Z","status":"ready","lanes":[]}"#
        for (id, age) in [("silent", 30_000), ("gone", 61_000)] {
            let text = "\(now - Int64(age)) " + body.replacing("ID", with: id)
            _ = try await redis.pipeline([RedisCommand("HSET", "\(prefix)fleet", id, text)])
        }
        _ = try await redis.pipeline([RedisCommand("HSET", "\(prefix)fleet", "strange", "\(now) what is this")])
        try await roll.sign(member("living", "worker expiry"))
        let members = try await roll.members()
        #expect(members.map(\.id).sorted() == ["living", "silent"])
        #expect(members.first { $0.id == "silent" }?.isLive == false)
    }
}
