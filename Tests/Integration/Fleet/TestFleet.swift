import Configuration
import Connections
import Contracts
import CoreMetrics
import Expiry
import FleetRuntime
import FleetStorage
import Foundation
import Hosting
import Logging
import Notification
import OrchestratorService
import Payment
import Postgres
import RabbitMQ
import Recommendation
import Reservation
import ServiceLifecycle
import TestKit

/// A whole fleet of one test: its own virtual host, database and key prefix, every role in this process.
struct TestFleet: Sendable {
    let database: TestDatabase
    let brokerURL: String
    let settings: Settings
    let port: Int
    let logger: Logger

    var url: String { "http://127.0.0.1:\(port)" }

    static let operatorKey = "key-of-the-operator-in-tests"

    static let schemas: [(FleetRole, [Migration])] = [
        (.orchestrator, OrchestratorService.migrations), (.reservation, ReservationService.migrations),
        (.payment, PaymentService.migrations), (.notification, NotificationService.migrations),
        (.expiry, ExpiryService.migrations), (.recommendation, RecommendationService.migrations),
    ]
}

/// Starts a fleet, lends it to `body`, and stops it gracefully.
func withFleet(
    _ changes: [String: String] = [:], logger: Logger? = nil, _ body: (TestFleet) async throws -> Void
) async throws {
    try await withFleetServers { database, brokerURL in
        try await runFleet(database, brokerURL, changes, logger: logger, body)
    }
}

/// Lends a database and a virtual host that outlive the fleets a test runs on them.
func withFleetServers(_ body: (TestDatabase, String) async throws -> Void) async throws {
    ignoreBrokenPipes()
    await FleetSlots.shared.take()
    defer { Task { await FleetSlots.shared.giveBack() } }
    try await withTestDatabase(TestFleet.schemas) { database in
        try await withTestBroker { try await body(database, $0) }
    }
}

/// Runs a fleet on servers that are there, lends it to `body`, and stops it gracefully.
func runFleet(
    _ database: TestDatabase, _ brokerURL: String, _ changes: [String: String], logger: Logger? = nil,
    _ body: (TestFleet) async throws -> Void
) async throws {
    guard let redis = TestServers.redisURL else { throw MissingServer(name: "REDIS_URL") }
    var values = [
        "DATABASE_URL": database.url, "AMQP_URL": brokerURL, "REDIS_URL": redis,
        "REDIS_PREFIX": uniqueName("test") + ":", "HTTP_PORT": "0", "STEP_TIMEOUT_MS": "30000",
        "DEAD_LETTERS": "queued", "OPERATOR_KEYS": "ada:\(TestFleet.operatorKey)",
    ]
    values.merge(changes) { $1 }
    let settings = try Settings(ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: values)))
    let logger = logger ?? fleetLogger()
    try await TopologyDeclarer(try BrokerConfiguration(url: brokerURL), logger: logger).apply()
    let metrics = PrometheusRegistry()
    let fleet = Fleet(settings: settings, health: HealthRegistry(), metrics: metrics, logger: logger)
    let (ports, listening) = AsyncStream<Int>.makeStream()
    let services = try withMetricsFactory(metrics) {
        try OrchestratorService.services(fleet) { listening.yield($0) }
            + ReservationService.services(fleet) + PaymentService.services(fleet)
            + NotificationService.services(fleet) + ExpiryService.services(fleet)
            + RecommendationService.services(fleet)
    }
    let group = ServiceGroup(configuration: .init(services: services, logger: logger))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await withMetricsFactory(metrics) { try await group.run() } }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else { throw MissingServer(name: "HTTP") }
        let outcome: Result<Void, any Error>
        do {
            try await body(
                TestFleet(database: database, brokerURL: brokerURL, settings: settings, port: port, logger: logger))
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        try outcome.get()
    }
}

/// Says what went wrong, or as much as TEST_LOG_LEVEL asks for.
private func fleetLogger() -> Logger {
    let level = ProcessInfo.processInfo.environment["TEST_LOG_LEVEL"].flatMap { Logger.Level(rawValue: $0) }
    return Logger(label: "fleet") { FleetLogHandler(label: $0, level: level ?? .error, format: .text) }
}

/// Lets few fleets run at once: each has some forty connections.
private actor FleetSlots {
    static let shared = FleetSlots()

    private var free = 3
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func giveBack() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
