import Foundation

/// Runs programs of the machine and waits for them.
enum Command {
    /// - Throws: `Trouble` with the end of what it said, when it fails.
    @discardableResult
    static func run(
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
    static func attempt(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        within limit: Duration = .seconds(60)
    ) async throws -> (status: Int32, output: String) {
        let file = FileManager.default.temporaryDirectory.appending(path: "faults-\(UUID().uuidString)")
        _ = FileManager.default.createFile(atPath: file.path, contents: nil)
        let output = try FileHandle(forWritingTo: file)
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        let end = Ending()
        process.terminationHandler = { end.note($0) }
        try process.run()
        let pid = process.processIdentifier
        defer { forget(file) }
        try await until("\(program) \(arguments.joined(separator: " ")) (\(pid)) ends", within: limit) {
            end.status != nil
        }
        let text = try String(contentsOf: file, encoding: .utf8)
        return (end.status ?? -1, text)
    }

    private static func forget(_ file: URL) {
        do {
            try FileManager.default.removeItem(at: file)
        } catch {
            print("cannot remove \(file.path): \(error)")
        }
    }
}
