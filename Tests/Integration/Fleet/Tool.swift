import Foundation
import TestKit

/// A program of the machine that judges ours.
enum Tool {
    /// Where it is installed; `compose/dev test` sees to that.
    static func url(_ name: String) throws -> URL {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        let places = folders.map { URL(filePath: String($0)).appending(path: name) }
        guard let place = places.first(where: { FileManager.default.isExecutableFile(atPath: $0.path) }) else {
            throw MissingServer(name: name)
        }
        return place
    }

    /// Runs it to its end; what it wrote to both outputs, together.
    static func run(_ name: String, _ arguments: [String], input: Data) throws -> (status: Int32, output: String) {
        let folder = FileManager.default.temporaryDirectory
        let source = folder.appending(path: uniqueName("input"))
        try input.write(to: source)
        let process = Process()
        process.executableURL = try url(name)
        process.arguments = arguments
        process.standardInput = try FileHandle(forReadingFrom: source)
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try FileManager.default.removeItem(at: source)
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}
