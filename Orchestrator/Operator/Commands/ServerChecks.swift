import Connections
import Contracts
import FleetInspection
import FleetStorage
import Foundation
import Hosting
import Logging
import Operations
import OrchestratorService
import Payment
import Postgres
import RabbitMQ
import Redis

/// The doctor's look at the three servers.
struct ServerChecks: Sendable {
    private static let patience = Duration.seconds(2)
    private let settings: Settings
    private let logger = Logger(label: "turnstile") { _ in SwiftLogNoOpLogHandler() }

    init(_ settings: Settings) {
        self.settings = settings
    }

    func database() async -> [Finding] {
        let connection = database
        let findings: [Finding]
        do {
            let rows = try await connection.query(
                "SELECT current_setting('server_version'), now()", as: (String, Date).self)
            guard let (version, time) = rows.first else { throw Refusal("PostgreSQL answered nothing") }
            findings = [
                Self.clocks(version, time), await schemas(connection),
                await PrivilegeCheck(connection: connection).finding(),
            ]
        } catch {
            let fault = FleetFault(database: error, since: nil)
            findings = [Finding("PostgreSQL", fault), Finding("schemas", .unknown, "PostgreSQL does not answer")]
        }
        await connection.close()
        return findings
    }

    /// The broker, if it answers, and what is to be said of it.
    func broker() async -> (BrokerReading?, [Finding]) {
        do {
            async let product = product()
            let reading = try await QueueInspector(settings, name: "turnstile doctor", logger: logger).read()
            let faults = FleetFault.all(of: reading)
            let (servers, queues) = (
                faults.filter { $0.subject == .rabbitmq }, faults.filter { $0.subject == .topology }
            )
            return (
                reading,
                (servers.isEmpty
                    ? [Finding("RabbitMQ", .well, "\(try await product), no alarm")]
                    : servers.map { Finding("RabbitMQ", $0) })
                    + (queues.isEmpty
                        ? [
                            Finding(
                                "topology", .well,
                                "every exchange and queue is as declared; bindings cannot be asked for, apply puts them right"
                            )
                        ] : queues.map { Finding("topology", $0) })
            )
        } catch {
            return (
                nil,
                [
                    Finding("RabbitMQ", FleetFault(broker: error, since: nil)),
                    Finding("topology", .unknown, "RabbitMQ does not answer"),
                ]
            )
        }
    }

    /// Who signed the roll; nil while Redis does not answer.
    func roll() async -> ([FleetMember]?, [Finding]) {
        do {
            var configuration = try RedisConfiguration(url: settings.redisURL)
            configuration.timeout = .seconds(1)
            let roll = ProcessRegistry(RedisClient(configuration, logger: logger), prefix: settings.redisPrefix)
            let members = try await roll.members()
            return (members, [Finding("Redis", .well, "answers")])
        } catch {
            return (nil, [Finding("Redis", FleetFault(redis: error, since: nil))])
        }
    }

    private var database: PostgresConnection {
        var configuration = PostgresConfiguration(url: settings.databaseURL, applicationName: "turnstile doctor")
        (configuration.connectTimeout, configuration.queryDeadline) = (Self.patience, Self.patience)
        return PostgresConnection(configuration, logger: logger)
    }

    private static func clocks(_ version: String, _ time: Date) -> Finding {
        let skew = abs(Date().timeIntervalSince(time))
        guard skew < 2 else {
            return Finding("PostgreSQL", .toDo, "its clock and ours differ by \(Int(skew)) s; synchronise them")
        }
        return Finding("PostgreSQL", .well, "version \(version), clocks agree")
    }

    private func schemas(_ connection: PostgresConnection) async -> Finding {
        do {
            for role in FleetRole.allCases {
                let applied = try await connection.query(
                    "SELECT name FROM \(role.rawValue).migration", as: (String).self)
                let missing = Set(role.migrations.map(\.name)).subtracting(applied)
                guard missing.isEmpty else {
                    let names = missing.sorted().joined(separator: ", ")
                    return Finding("schemas", .toDo, "\(role.rawValue) lacks \(names); run: turnstile migrate")
                }
            }
            return Finding("schemas", .well, "up to date")
        } catch {
            return Finding("schemas", .toDo, "\(error); run as the database's owner: turnstile migrate")
        }
    }

    private func product() async throws -> String {
        var configuration = try BrokerConfiguration(url: settings.brokerURL, connectionName: "turnstile doctor")
        (configuration.connectTimeout, configuration.rpcTimeout) = (Self.patience, Self.patience)
        let (product, version) = try await Administrator(configuration, logger: logger).lent { administrator in
            try await administrator.open()
            return try await administrator.serverProperties()
        }
        return "\(product) \(version)"
    }
}
