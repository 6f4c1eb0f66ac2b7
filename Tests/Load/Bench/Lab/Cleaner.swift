import Connections
import Foundation
import Logging
import Postgres
import RabbitMQ
import Redis
import TestKit
import Topology

/// Makes databases, queues and cache as empty as a trial wants them, and says when nothing is left to do.
struct Cleaner: Sendable {
    let site: Site
    let logger: Logger

    /// A migrated database without a row in it, empty queues, and an empty cache.
    func renew(_ database: String) async throws {
        try await recreate(database)
        try await migrate(database)
        try await emptyServers()
    }

    func recreate(_ database: String) async throws {
        try await asOwner { owner in
            try await owner.script("DROP DATABASE IF EXISTS \"\(database)\" WITH (FORCE)")
            try await owner.script("CREATE DATABASE \"\(database)\"")
        }
    }

    func exists(_ database: String) async throws -> Bool {
        try await asOwner { owner in
            try await owner.query("SELECT 1 FROM pg_database WHERE datname = $1", [database], as: Int.self).first == 1
        }
    }

    /// Brings the schemas of a database up to date and declares the topology.
    func migrate(_ database: String) async throws {
        let environment = ["DATABASE_URL": try Site.url(site.databaseURL, path: database)]
        let turnstile = site.program("turnstile").path
        try await Command.run(turnstile, ["migrate"], environment: environment)
        try await Command.run(turnstile, ["topology", "apply"], environment: environment)
    }

    /// Leaves nothing of an earlier trial in queues and cache, nor pages that have yet to be written.
    func emptyServers() async throws {
        try await withBroker { administrator in
            for queue in Queue.all {
                for name in [queue.name, queue.dead] + RetryTier.allCases.map(queue.retry) {
                    try await administrator.purgeQueue(name)
                }
            }
        }
        let cache = RedisClient(try RedisConfiguration(url: site.redisURL), logger: logger)
        let answers = try await cache.pipeline([["FLUSHALL"]])
        await cache.close()
        guard answers.count == 1 else { throw Trouble("the cache could not be emptied") }
        try await asOwner { try await $0.script("CHECKPOINT") }
    }

    /// The messages that are ready in the fleet's queues: of work and retries, and dead ones.
    func messages() async throws -> (work: Int, dead: Int) {
        try await withBroker { administrator in
            var (work, dead) = (0, 0)
            for queue in Queue.all {
                for name in [queue.name] + RetryTier.allCases.map(queue.retry) {
                    work += try await administrator.checkQueue(name).messages
                }
                dead += try await administrator.checkQueue(queue.dead).messages
            }
            return (work, dead)
        }
    }

    func brokerVersion() async throws -> String {
        try await withBroker { try await $0.serverProperties().version }
    }

    /// A long-lived connection of the owner to one database.
    func owner(of database: String) throws -> PostgresConnection {
        PostgresConnection(Target.patient(try Site.url(site.databaseURL, path: database)), logger: logger)
    }

    private func asOwner<R: Sendable>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        try await owner(of: "postgres").lent(to: body)
    }

    private func withBroker<R: Sendable>(_ body: (Administrator) async throws -> R) async throws -> R {
        let configuration = try BrokerConfiguration(url: site.brokerURL, connectionName: "bench")
        return try await Administrator(configuration, logger: logger).lent { administrator in
            try await administrator.open()
            return try await body(administrator)
        }
    }
}
