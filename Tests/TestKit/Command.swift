import Foundation

/// Runs programs of the machine and waits for them.
package enum Command {
    /// - Throws: `Trouble` with the end of what it said, when it fails.
    @discardableResult
    package static func run(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        within limit: Duration = .seconds(120)
    ) async throws -> String {
        let (status, output) = try await attempt(program, arguments, environment: environment, within: limit)
        guard status == 0 else {
            throw Trouble("\(program) \(arguments.joined(separator: " ")): status \(status): \(output.suffix(600))")
        }
        return output
    }

    /// The exit status, and what was said on both channels.
    ///
    /// The status goes through a file: Foundation notices the end of a process by a descriptor that the servers which a
    /// command leaves behind would keep open.
    package static func attempt(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        within limit: Duration = .seconds(60)
    ) async throws -> (status: Int32, output: String) {
        let folder = FileManager.default.temporaryDirectory.appending(path: "command-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let (output, status) = (folder.appending(path: "output"), folder.appending(path: "status"))
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        let line = #""$@" >"$OUTPUT" 2>&1; echo $? >"$STATUS.new"; mv "$STATUS.new" "$STATUS""#
        process.arguments = ["-c", line, "sh", program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            .merging(["OUTPUT": output.path, "STATUS": status.path]) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        let what = "\(program) \(arguments.joined(separator: " ")) (\(process.processIdentifier)) ends"
        try await until(what, within: limit, every: .milliseconds(20)) {
            FileManager.default.fileExists(atPath: status.path)
        }
        let number = try String(contentsOf: status, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
        try FileManager.default.removeItem(at: folder)
        return (Int32(number) ?? -1, text)
    }
}
