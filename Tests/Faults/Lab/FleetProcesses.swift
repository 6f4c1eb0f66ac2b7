import Contracts
import Foundation
import Glibc
import TestKit

/// The fleet as processes of their own: so many of each role, behind proxies, with the settings of the suite.
actor FleetProcesses {
    private let place: Place
    private let proxies: Proxies
    private let web: Web
    private var members: [FleetRole: [Member]] = [:]
    private var ports: [String: Int] = [:]
    let replicas: Int

    init(_ place: Place, _ proxies: Proxies, web: Web, replicas: Int) {
        self.place = place
        self.proxies = proxies
        self.web = web
        self.replicas = replicas
    }

    // MARK: - Who runs

    func of(_ role: FleetRole) -> [Member] { members[role] ?? [] }
    var all: [Member] { FleetRole.allCases.flatMap { members[$0] ?? [] } }
    var orchestratorURLs: [String] { of(.orchestrator).map { "http://127.0.0.1:\($0.port)" } }

    func first(_ role: FleetRole) throws -> Member {
        guard let member = members[role]?.first else { throw Trouble("no \(role.rawValue) runs") }
        return member
    }

    /// Starts whoever is missing, `replicas` of each role, and waits until all are ready.
    func up(_ count: Int? = nil, roles: [FleetRole] = FleetRole.allCases) async throws {
        for role in roles {
            members[role] = of(role).filter { $0.status == nil }
            let taken = Set(of(role).map(\.number))
            for number in 1...(count ?? replicas) where !taken.contains(number) { try start(role, number) }
        }
        try await ready()
    }

    /// Waits until every process says that it is ready.
    func ready(within limit: Duration = .seconds(60)) async throws {
        for member in all {
            try await until("\(member.name) is ready", within: limit) {
                if let status = member.status { throw Trouble("\(member.name) ended with status \(status)") }
                return await web.status("http://127.0.0.1:\(member.port)/health/ready") == 200
            }
        }
    }

    /// Ends the extra processes of each role.
    func shrink() async throws {
        for member in all where member.number > replicas { try await stop(member) }
    }

    @discardableResult
    func start(
        _ role: FleetRole, _ number: Int = 1, _ extra: [String: String] = [:], descriptors: Int? = nil
    ) throws -> Member {
        let member = try Member(
            role, number: number, port: try port(of: "\(role.rawValue)-\(number)"), place: place,
            settings: try settings(of: role, number).merging(extra) { $1 }, descriptors: descriptors)
        members[role, default: []].append(member)
        return member
    }

    func kill9(_ member: Member) async throws {
        try member.signal(SIGKILL)
        try await member.ended(within: .seconds(5))
        forget(member)
    }

    /// Asks a process to stop; its exit status.
    @discardableResult
    func stop(_ member: Member) async throws -> Int32 {
        try member.signal(SIGTERM)
        try await member.ended(within: .seconds(20))
        forget(member)
        return member.status ?? -1
    }

    func stopAll() async throws {
        for member in all { try member.signal(SIGCONT) }
        for member in all { try member.signal(SIGTERM) }
        for member in all {
            do {
                try await member.ended(within: .seconds(20))
            } catch {
                try await kill9(member)
            }
            forget(member)
        }
    }

    func forget(_ member: Member) {
        members[member.role]?.removeAll { $0 === member }
    }

    /// Has a role's processes die at a point, whichever comes by, at the first to `times`-th pass; then all as usual.
    ///
    /// Returns how many died; those that do not come by within the limit live on.
    func die(_ role: FleetRole, at point: String, times: Int = 3, within limit: Duration = .seconds(40)) async throws
        -> Int
    {
        try await replaceAll(role, ["FAULT": "\(point):1"])
        var deaths = 0
        while deaths < times, let dead = try await death(in: role, within: limit) {
            guard dead.wasKilled else { throw Trouble("\(dead.name) ended with status \(dead.status ?? -1)") }
            deaths += 1
            forget(dead)
            if deaths < times { try start(role, dead.number, ["FAULT": "\(point):\(deaths + 1)"]) }
        }
        try await replaceAll(role)
        return deaths
    }

    /// Kills a role's processes one after another, and starts each again.
    private func replaceAll(_ role: FleetRole, _ extra: [String: String] = [:]) async throws {
        for number in 1...replicas {
            if let member = of(role).first(where: { $0.number == number }) { try await kill9(member) }
            try start(role, number, extra)
        }
    }

    /// The first of a role's processes to end within the limit.
    private func death(in role: FleetRole, within limit: Duration) async throws -> Member? {
        let deadline = ContinuousClock.now + limit
        while ContinuousClock.now < deadline {
            if let dead = of(role).first(where: { $0.status != nil }) { return dead }
            try await Task.sleep(for: .milliseconds(20))
        }
        return nil
    }

    // MARK: - Settings

    private func port(of name: String) throws -> Int {
        if let port = ports[name] { return port }
        let port = try FreePort.find()
        ports[name] = port
        return port
    }

    func settings(of role: FleetRole, _ number: Int = 1) throws -> [String: String] {
        let side: Proxies.Side = role == .orchestrator ? .orchestrators : .workers
        var settings = [
            "PATH": "/usr/bin:/bin",
            "DATABASE_URL": try proxies.url(place.databaseURL, of: .postgres, for: side),
            "AMQP_URL": try proxies.url(place.brokerURL, of: .rabbitmq, for: side),
            "REDIS_URL": try proxies.url(place.redisURL, of: .redis, for: side),
            "STEP_TIMEOUT_MS": "3000", "STEP_ATTEMPTS": "8", "HOLD_SECONDS": "120",
            "DEAD_LETTERS": "queued",
        ]
        let port = String(try port(of: "\(role.rawValue)-\(number)"))
        settings[role == .orchestrator ? "HTTP_PORT" : "ADMIN_PORT"] = port
        return settings
    }
}
