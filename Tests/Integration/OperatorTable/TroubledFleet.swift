import FleetRuntime
import Foundation
import Glibc
import RabbitMQ
import TestKit

/// A fleet of processes with everything between it and its servers in the hands of a test, and its operator beside it.
actor TroubledFleet {
    let database: TestDatabase
    let brokerURL: String
    let folder: URL
    let postgres: Door
    let rabbitmq: Door
    let management: Door
    let redis: Door
    /// The fleet's own account of the broker, whose password may change.
    let brokerUser = uniqueName("fleet")
    private let prefix = uniqueName("test") + ":"
    private let httpPort: Int
    private var children: [String: Child] = [:]
    /// A purchase that waits for its payment for ever.
    private(set) var saga = ""

    static let password = "the-right-password"
    static let names = ["orchestrator", "reservation", "payment", "notification", "expiry", "recommendation"]

    init(_ database: TestDatabase, _ brokerURL: String, in folder: URL) async throws {
        guard let redisURL = TestServers.redisURL, let managementURL = TestServers.managementURL else {
            throw MissingServer(name: "REDIS_URL")
        }
        self.database = database
        self.brokerURL = brokerURL
        self.folder = folder
        postgres = try await Door(to: database.url)
        rabbitmq = try await Door(to: brokerURL)
        management = try await Door(to: managementURL)
        redis = try await Door(to: redisURL)
        httpPort = try FreePort.find()
    }

    var virtualHost: String { URLComponents(string: brokerURL).map { String($0.path.dropFirst()) } ?? "" }
    var url: String { "http://127.0.0.1:\(httpPort)" }

    // MARK: - The fleet

    func up() async throws {
        let api = try ManagementAPI()
        try await setBrokerPassword(Self.password)
        try await api.call(
            "PUT", "/permissions/\(virtualHost)/\(brokerUser)", body: #"{"configure":".*","write":".*","read":".*"}"#)
        try await declareTopology()
        for name in Self.names { try start(name) }
        try await until("the orchestrator serves", within: .seconds(60)) {
            do { return try await fetch("\(url)/health/live").status == 200 } catch { return false }
        }
        saga = try await beginPurchase()
    }

    func down() async throws {
        for child in children.values { try child.signal(SIGTERM) }
        for child in children.values { try await child.ended(within: .seconds(30)) }
        try await ManagementAPI().call("DELETE", "/users/\(brokerUser)")
        for door in [postgres, rabbitmq, management, redis] { await door.shut() }
    }

    func start(_ name: String) throws {
        children[name] = try Child(
            name, ProcessFleet.program(of: name), name == "orchestrator" ? [] : [name], environment: environment,
            log: folder.appending(path: "\(name).log"))
    }

    func stop(_ name: String) async throws {
        guard let child = children.removeValue(forKey: name) else { return }
        try child.signal(SIGTERM)
        try await child.ended(within: .seconds(30))
    }

    func setBrokerPassword(_ password: String) async throws {
        try await ManagementAPI().call(
            "PUT", "/users/\(brokerUser)", body: #"{"password":"\#(password)","tags":""}"#)
    }

    func declareTopology() async throws {
        try await TopologyDeclarer(try BrokerConfiguration(url: brokerURL), logger: database.logger).apply()
    }

    func rabbitmqctl(_ arguments: String...) async throws {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../compose/dev")
        try await Command.run(script.standardized.path, ["servers", "rabbitmqctl"] + arguments)
    }

    /// Sells a ticket, which touches every process.
    func sell() async throws {
        let event = try await publishEvent()
        try await until("a ticket is sold", within: .seconds(60)) {
            let body = #"{"userId":"\#(uniqueUser())","eventId":"\#(event)","quantity":1}"#
            let answer = try await post("/saga/start", body, headers: ["Prefer": "wait=5"])
            let state = try answer.json["state"] as? String
            return answer.status == 200 && state == "completed"
        }
    }

    /// Starts a purchase, and does not wait for what becomes of it.
    func startPurchase() async throws {
        let event = try await publishEvent()
        let body = #"{"userId":"\#(uniqueUser())","eventId":"\#(event)","quantity":1}"#
        try await until("it begins", within: .seconds(30)) { try await post("/saga/start", body).status == 202 }
    }

    private func beginPurchase() async throws -> String {
        let event = try await publishEvent()
        let body = #"{"userId":"ada","eventId":"\#(event)","quantity":2,"paymentMethod":"sim_never"}"#
        var saga = ""
        try await until("a purchase begins", within: .seconds(30)) {
            saga = try await post("/saga/start", body).json["sagaId"] as? String ?? ""
            return !saga.isEmpty
        }
        try await until("it waits for its payment", within: .seconds(30)) {
            try await fetch("\(url)/sagas/\(saga)").json["state"] as? String == "charging"
        }
        return saga
    }

    func publishEvent() async throws -> String {
        let tier = #"{"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":100}"#
        return try await post("/events", TestFleet.event(tier)).json["eventId"] as? String ?? ""
    }

    private func post(_ path: String, _ body: String, headers: [String: String] = [:]) async throws -> Answer {
        try await send("POST", url + path, body: Data(body.utf8), headers: headers)
    }

    // MARK: - The operator

    /// What a command of the operator prints, and its exit status.
    func turnstile(_ arguments: String...) async throws -> (status: Int32, output: String) {
        let program = ProcessFleet.program(of: "orchestrator").deletingLastPathComponent().appending(path: "turnstile")
        return try await Command.attempt(program.path, arguments, environment: environment)
    }

    /// `status`, `doctor` and `explain` of the purchase that waits.
    func screens() async throws -> [Screen] {
        let saga = saga
        async let status = turnstile("status")
        async let doctor = turnstile("doctor")
        async let explain = turnstile("sagas", "explain", saga)
        return [Screen(try await status.output), Screen(try await doctor.output), Screen(try await explain.output)]
    }

    private var environment: [String: String] {
        [
            "PATH": "/usr/bin:/bin", "HOME": "/", "DATABASE_URL": postgres.url, "REDIS_URL": redis.url,
            "AMQP_URL": fleetBrokerURL, "AMQP_MANAGEMENT_URL": management.url, "REDIS_PREFIX": prefix,
            "HTTP_PORT": "\(httpPort)", "ADMIN_PORT": "0", "OPERATOR_KEYS": "ada:\(TestFleet.operatorKey)",
            "OPERATOR_KEY": TestFleet.operatorKey, "TURNSTILE_URL": url, "LOG_FORMAT": "json", "NO_COLOR": "1",
        ]
    }

    private var fleetBrokerURL: String {
        var parts = URLComponents(string: rabbitmq.url)
        parts?.user = brokerUser
        parts?.password = Self.password
        return parts?.string ?? ""
    }
}
