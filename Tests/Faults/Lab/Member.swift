import Contracts
import Foundation
import Glibc

/// One process of the fleet, started and ended as the fault wants.
final class Member: Sendable {
    let role: FleetRole
    let number: Int
    let port: Int
    let pid: Int32
    private let ending: Ending

    var name: String { number == 1 ? role.rawValue : "\(role.rawValue)-\(number)" }
    var status: Int32? { ending.status }
    var wasKilled: Bool { ending.wasSignalled && ending.status == SIGKILL }

    init(_ role: FleetRole, number: Int, port: Int, place: Place, settings: [String: String]) throws {
        self.role = role
        self.number = number
        self.port = port
        let log = place.log(number == 1 ? role.rawValue : "\(role.rawValue)-\(number)")
        if !FileManager.default.fileExists(atPath: log.path) {
            _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        }
        let output = try FileHandle(forWritingTo: log)
        try output.seekToEnd()
        let process = Process()
        process.executableURL = place.program(role == .orchestrator ? "orchestrator" : "worker")
        process.arguments = role == .orchestrator ? [] : [role.rawValue]
        process.environment = settings
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        let ending = Ending()
        process.terminationHandler = { ending.note($0) }
        self.ending = ending
        try process.run()
        pid = process.processIdentifier
    }

    func signal(_ number: Int32) throws {
        guard kill(pid, number) == 0 || errno == ESRCH else { throw Trouble("\(name) cannot be signalled") }
    }

    func ended(within limit: Duration) async throws {
        try await until("\(name) ends", within: limit, every: .milliseconds(10)) { status != nil }
    }

    /// What the process holds: resident memory in megabytes, and descriptors.
    func resources() throws -> (megabytes: Int, descriptors: Int) {
        let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let kilobytes = line.flatMap { $0.split(whereSeparator: \.isWhitespace).dropFirst().first }.flatMap { Int($0) }
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
        return ((kilobytes ?? 0) / 1_024, descriptors)
    }
}
