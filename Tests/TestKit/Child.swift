import Foundation
import Glibc
import Synchronization

/// A program of ours, running as a process of its own with its output in a log.
package final class Child: Sendable {
    package let name: String
    package let pid: Int32
    private let ending: Ending

    /// - Parameters:
    ///   - environment: all that the program sees.
    ///   - log: what it says is added to its end.
    package init(
        _ name: String, _ program: URL, _ arguments: [String] = [], environment: [String: String], log: URL
    ) throws {
        self.name = name
        if !FileManager.default.fileExists(atPath: log.path) {
            _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        }
        let output = try FileHandle(forWritingTo: log)
        try output.seekToEnd()
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        let ending = Ending()
        process.terminationHandler = { ending.note($0) }
        self.ending = ending
        try process.run()
        pid = process.processIdentifier
    }

    /// The exit status, or the signal's number; nil while it runs.
    package var status: Int32? { ending.status }
    package var wasKilled: Bool { ending.wasSignalled && ending.status == SIGKILL }

    package func signal(_ number: Int32) throws {
        guard kill(pid, number) == 0 || errno == ESRCH else { throw Trouble("\(name) cannot be signalled") }
    }

    package func ended(within limit: Duration) async throws {
        try await until("\(name) ends", within: limit, every: .milliseconds(10)) { status != nil }
    }
}

/// How a child process ended, once it has.
private final class Ending: Sendable {
    private let state = Mutex<(status: Int32, signalled: Bool)?>(nil)

    func note(_ process: Process) {
        let end = (process.terminationStatus, process.terminationReason == .uncaughtSignal)
        state.withLock { $0 = end }
    }

    var status: Int32? { state.withLock { $0?.status } }
    var wasSignalled: Bool { state.withLock { $0?.signalled ?? false } }
}
