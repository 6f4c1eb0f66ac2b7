import Contracts
import FleetRuntime
import Foundation
import Glibc
import Logging
import RabbitMQ
import TestKit

/// The fleet as operators run it: the orchestrator and each worker as a process of its own.
struct ProcessFleet: Sendable {
    let members: [Member]
    let folder: URL

    /// One process: where it answers, and what it logged.
    struct Member: Sendable {
        let name: String
        let pid: Int32
        let log: URL
        let address: String

        var lines: [String] {
            get throws {
                try String(contentsOf: log, encoding: .utf8).split(separator: "\n").map { String($0) }
            }
        }
    }

    func member(_ name: String) throws -> Member {
        guard let member = members.first(where: { $0.name == name }) else { throw MissingServer(name: name) }
        return member
    }

    /// The build puts the programs beside the tests.
    static func program(of name: String) -> URL {
        URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: name == "orchestrator" ? name : "worker")
    }

    var url: String {
        get throws { "http://\(try member("orchestrator").address)" }
    }
}

/// Starts six processes on a database and a virtual host of their own, lends them to `body`, and stops them.
func withProcesses(_ body: (ProcessFleet) async throws -> Void) async throws {
    try await withFleetServers { database, brokerURL in
        try await TopologyDeclarer(try BrokerConfiguration(url: brokerURL), logger: Logger(label: "test")).apply()
        let folder = FileManager.default.temporaryDirectory.appending(path: uniqueName("fleet"))
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { removeFolder(folder) }
        var environment = ProcessInfo.processInfo.environment
        environment.merge([
            "DATABASE_URL": database.url, "AMQP_URL": brokerURL, "REDIS_PREFIX": uniqueName("test") + ":",
            "HTTP_PORT": "0", "ADMIN_PORT": "0", "OPERATOR_KEYS": "ada:\(TestFleet.operatorKey)", "LOG_LEVEL": "debug",
        ]) { $1 }
        var processes: [(name: String, process: Process, log: URL)] = []
        defer { for (_, process, _) in processes where process.isRunning { process.terminate() } }
        for name in ["orchestrator", "reservation", "payment", "notification", "expiry", "recommendation"] {
            let log = folder.appending(path: "\(name).log")
            processes.append((name, try launch(name, environment, writingTo: log), log))
        }
        var members: [ProcessFleet.Member] = []
        for (name, process, log) in processes {
            members.append(
                .init(name: name, pid: process.processIdentifier, log: log, address: try await address(in: log)))
        }
        let fleet = ProcessFleet(members: members, folder: folder)
        for member in members {
            try await until("\(member.name) is ready") {
                try await fetch("http://\(member.address)/health/ready").status == 200
            }
        }
        try await body(fleet)
        for (_, process, _) in processes { process.terminate() }
        for (_, process, _) in processes { process.waitUntilExit() }
    }
}

private func launch(_ name: String, _ environment: [String: String], writingTo log: URL) throws -> Process {
    _ = FileManager.default.createFile(atPath: log.path, contents: nil)
    let process = Process()
    process.executableURL = ProcessFleet.program(of: name)
    process.arguments = name == "orchestrator" ? [] : [name]
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = try FileHandle(forWritingTo: log)
    try process.run()
    return process
}

/// The process says in its log where it answers, for the system chose the port.
private func address(in log: URL) async throws -> String {
    var found: String?
    try await until("\(log.lastPathComponent) names an address") {
        let text = try String(contentsOf: log, encoding: .utf8)
        found = text.firstMatch(of: #/"message":"serving HTTP","address":"(?<address>[^"]+)"/#)
            .map { String($0.output.address) }
        return found != nil
    }
    return found ?? ""
}

func removeFolder(_ folder: URL) {
    do {
        try FileManager.default.removeItem(at: folder)
    } catch {
        print("cannot remove \(folder.path): \(error)")
    }
}
