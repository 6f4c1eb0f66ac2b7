import ArgumentParser
import Contracts
import FleetRuntime
import Foundation
import Logging
import Postgres
import RabbitMQ
import Redis

/// Finds out why the fleet cannot work from here.
struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check settings, servers, versions, clocks, schemas and the operator key, and say what to do.",
        discussion: "Exit status 1 when something must be done.")

    @OptionGroup var connection: Connection

    private struct Finding: Encodable {
        let subject: String
        let isWell: Bool
        let detail: String
    }

    func run() async throws {
        let settings = try Settings.fromEnvironment()
        let logger = Logger(label: "turnstile") { _ in SwiftLogNoOpLogHandler() }
        let findings = [
            await look("database", "check DATABASE_URL, and that PostgreSQL runs") {
                try await database(settings, logger)
            },
            await look("schemas", "run: turnstile migrate") { try await schemas(settings, logger) },
            await look("privileges", "run: turnstile migrate") {
                try await PrivilegeCheck(settings: settings, logger: logger).run()
            },
            await look("broker", "check AMQP_URL, and that RabbitMQ runs") { try await broker(settings, logger) },
            await look("topology", "run: turnstile topology apply") { try await topology(settings, logger) },
            await look("redis", "check REDIS_URL; without Redis the fleet is correct and slower") {
                let redis = RedisClient(try RedisConfiguration(url: settings.redisURL), logger: logger)
                if case .error(let text)? = try await redis.pipeline([RedisCommand("PING")]).first {
                    throw Refusal(text)
                }
                return "answers"
            },
            await look("orchestrator", "start it, or check TURNSTILE_URL") {
                _ = try await connection.client.get("/health/live")
                return "answers"
            },
            await look("operator key", "set OPERATOR_KEY to one of the orchestrator's OPERATOR_KEYS") {
                _ = try await connection.client.get("/ops/dead")
                return "accepted"
            },
        ]
        if connection.json {
            Terminal.show(json: try WireFormat.encode(findings))
        } else {
            let rows = findings.map { [$0.subject, $0.isWell ? "ok" : "TO DO", $0.detail] }
            for line in Table(headings: ["what", "", "detail"], rows: rows).lines { Terminal.show(line) }
        }
        guard findings.allSatisfy(\.isWell) else { throw ExitCode(1) }
    }

    private func look(_ subject: String, _ advice: String, _ check: () async throws -> String) async -> Finding {
        do {
            return Finding(subject: subject, isWell: true, detail: try await check())
        } catch {
            return Finding(subject: subject, isWell: false, detail: "\(advice) (\(error))")
        }
    }

    private func database(_ settings: Settings, _ logger: Logger) async throws -> String {
        let rows = try await query(
            settings, logger, "SELECT current_setting('server_version'), now()", as: (String, Date).self)
        guard let (version, time) = rows.first else { throw Refusal("no answer") }
        let skew = abs(Date().timeIntervalSince(time))
        guard skew < 2 else { throw Refusal("its clock and ours differ by \(Int(skew)) s; synchronise them") }
        return "PostgreSQL \(version), clocks agree"
    }

    private func schemas(_ settings: Settings, _ logger: Logger) async throws -> String {
        for role in FleetRole.allCases {
            let applied = try await query(
                settings, logger, "SELECT name FROM \(role.rawValue).migration", as: (String).self)
            let missing = Set(role.migrations.map(\.name)).subtracting(applied)
            guard missing.isEmpty else {
                throw Refusal("\(role.rawValue) lacks \(missing.sorted().joined(separator: ", "))")
            }
        }
        return "up to date"
    }

    private func query<each Column: PostgresDecodable & Sendable>(
        _ settings: Settings, _ logger: Logger, _ sql: String, as types: (repeat each Column).Type
    ) async throws -> [(repeat each Column)] {
        let database = PostgresConnection(
            PostgresConfiguration(url: settings.databaseURL, applicationName: "turnstile doctor"), logger: logger)
        let rows = try await database.query(sql, as: types)
        await database.close()
        return rows
    }

    private func broker(_ settings: Settings, _ logger: Logger) async throws -> String {
        let configuration = try BrokerConfiguration(url: settings.brokerURL, connectionName: "turnstile doctor")
        let (product, version) = try await Administrator(configuration, logger: logger).lent { administrator in
            try await administrator.open()
            return try await administrator.serverProperties()
        }
        return "\(product) \(version)"
    }

    private func topology(_ settings: Settings, _ logger: Logger) async throws -> String {
        let keeper = TopologyKeeper(
            try BrokerConfiguration(url: settings.brokerURL, connectionName: "turnstile doctor"), logger: logger)
        let missing = try await keeper.missing()
        guard missing.isEmpty else { throw Refusal(missing.joined(separator: "; ")) }
        return "every exchange and queue is there; bindings cannot be asked for, apply puts them right"
    }
}
