import Contracts
import Foundation
import Glibc
import TestKit

/// The fleet under measurement as processes of their own, with the settings that the script gives.
actor FleetProcesses {
    private let site: Site
    private var members: [(role: FleetRole, child: Child)] = []
    private var layout = Layout()
    private var database = "turnstile"

    init(_ site: Site) {
        self.site = site
    }

    /// Starts every process of a layout on a database, and waits until all are ready.
    func start(_ layout: Layout, on database: String) async throws {
        self.layout = layout
        self.database = database
        try await start(FleetRole.allCases)
    }

    /// Starts the processes of these roles, which must not run.
    func start(_ roles: [FleetRole]) async throws {
        var doors: [(Child, String)] = []
        for role in roles {
            for number in 1...(role == .orchestrator ? 1 : layout.replicas) { doors.append(try start(role, number)) }
        }
        for (child, door) in doors {
            try await until("\(child.name) is ready", within: .seconds(60)) {
                if let status = child.status {
                    throw Trouble("\(child.name) ended with status \(status); see \(site.log(child.name).path)")
                }
                return await Web.status("\(door)/health/ready") == 200
            }
        }
    }

    private func start(_ role: FleetRole, _ number: Int) throws -> (Child, String) {
        var settings = try site.settings(of: role.rawValue)
        settings["DATABASE_URL"] = try Site.url(settings["DATABASE_URL"] ?? "", path: database)
        settings["LANES"] = String(layout.lanes)
        if number > 1 { settings["ADMIN_PORT"] = String(try FreePort.find()) }
        let name = number == 1 ? role.rawValue : "\(role.rawValue)-\(number)"
        let child = try Child(
            name, site.program(role == .orchestrator ? "orchestrator" : "worker"),
            role == .orchestrator ? [] : [role.rawValue], environment: settings, log: site.log(name))
        members.append((role, child))
        let port = settings[role == .orchestrator ? "HTTP_PORT" : "ADMIN_PORT"] ?? "0"
        return (child, "http://127.0.0.1:\(port)")
    }

    /// Ends the processes of these roles as an operator would.
    /// - Throws: `Trouble` when one does not end well; all have ended nevertheless.
    func stop(_ roles: [FleetRole] = FleetRole.allCases) async throws {
        let leaving = members.filter { roles.contains($0.role) }.map(\.child)
        members.removeAll { roles.contains($0.role) }
        for child in leaving { try child.signal(SIGTERM) }
        var troubles: [String] = []
        for child in leaving {
            do {
                try await child.ended(within: .seconds(30))
            } catch {
                troubles.append("\(error)")
                try child.signal(SIGKILL)
            }
            if let status = child.status, status != 0 { troubles.append("\(child.name) ended with status \(status)") }
        }
        guard troubles.isEmpty else { throw Trouble(troubles.joined(separator: "; ")) }
    }

    /// Ends whatever still runs after a trial that went wrong.
    func stopAll() async {
        do {
            try await stop()
        } catch {
            tell("  \(error)")
        }
    }

    /// Complains about a process that has ended by itself.
    func check() throws {
        for (_, child) in members {
            if let status = child.status { throw Trouble("\(child.name) ended with status \(status)") }
        }
    }

    var meters: [Metered] {
        members.map {
            Metered(component: $0.role.rawValue, process: $0.child.name, pid: $0.child.pid, extent: .alone)
        }
    }

    /// Where the roles answer whether they are well.
    func healthURLs() throws -> [String] {
        try FleetRole.allCases.map { role in
            let settings = try site.settings(of: role.rawValue)
            let port = settings[role == .orchestrator ? "HTTP_PORT" : "ADMIN_PORT"] ?? "0"
            return "http://127.0.0.1:\(port)/health/ready"
        }
    }
}
