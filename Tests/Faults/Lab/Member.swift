import Contracts
import Foundation
import TestKit

/// One process of the fleet, started and ended as the fault wants.
final class Member: Sendable {
    let role: FleetRole
    let number: Int
    let port: Int
    private let child: Child

    var name: String { child.name }
    var pid: Int32 { child.pid }
    var status: Int32? { child.status }
    var wasKilled: Bool { child.wasKilled }

    /// - Parameter descriptors: the most file descriptors that it may open; nil for as many as the machine gives.
    init(
        _ role: FleetRole, number: Int, port: Int, place: Place, settings: [String: String], descriptors: Int? = nil
    ) throws {
        self.role = role
        self.number = number
        self.port = port
        let name = number == 1 ? role.rawValue : "\(role.rawValue)-\(number)"
        let program = place.program(role == .orchestrator ? "orchestrator" : "worker")
        let arguments = role == .orchestrator ? [] : [role.rawValue]
        if let descriptors {
            let script = "ulimit -n \(descriptors) && exec \"$0\" \"$@\""
            child = try Child(
                name, URL(filePath: "/bin/sh"), ["-c", script, program.path] + arguments, environment: settings,
                log: place.log(name))
        } else {
            child = try Child(name, program, arguments, environment: settings, log: place.log(name))
        }
    }

    func signal(_ number: Int32) throws { try child.signal(number) }

    func ended(within limit: Duration) async throws { try await child.ended(within: limit) }

    /// What the process holds: resident memory in megabytes, and descriptors.
    func resources() throws -> (megabytes: Int, descriptors: Int) {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let kilobytes = line.flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Int($0) }
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
        return ((kilobytes ?? 0) / 1_024, descriptors)
    }
}
