import Foundation
import Hosting
import TestKit
import Testing

/// What the programs of the fleet say to whoever only asks.
@Suite(.timeLimit(.minutes(2)))
struct `A program of the fleet` {
    /// Without servers nothing could start, so only an answer can end it well.
    private func run(_ name: String, _ arguments: String...) async throws -> (status: Int32, output: String) {
        let settings = ["DATABASE_URL": "nonsense://", "AMQP_URL": "nonsense://", "HTTP_PORT": "0"]
        return try await Command.attempt(ProcessFleet.program(of: name).path, arguments, environment: settings)
    }

    @Test(arguments: ["orchestrator", "worker"])
    func `shows its help and its version, and starts nothing`(name: String) async throws {
        for word in ["--help", "-h"] {
            let (status, output) = try await run(name, word)
            #expect(status == 0)
            #expect(output.hasPrefix("\(name) "))
            #expect(output.contains("--version") && output.contains("78"))
        }
        let (status, output) = try await run(name, "--version")
        #expect(status == 0)
        #expect(output == "\(name) \(Release.version)\n")
    }

    @Test(arguments: [
        ["orchestrator", "--loud"], ["orchestrator", "payment"], ["worker"], ["worker", "dance"], ["worker", "-x"],
    ])
    func `refuses what makes no sense with one line`(words: [String]) async throws {
        let (status, output) = try await Command.attempt(
            ProcessFleet.program(of: words[0]).path, Array(words.dropFirst()))
        #expect(status == 64)
        #expect(output.split(separator: "\n").count == 1)
        #expect(output.contains("try: \(words[0]) --help"))
    }

    @Test(arguments: [
        (["faults", "Z99"], "there is no fault 'Z99'"), (["faults", "--loud"], "there is no option '--loud'"),
        (["faults", "--replicas", "many"], "--replicas needs a number"), (["micro"], "micro NAME COUNT"),
    ])
    func `of the workshop refuses what makes no sense, and does not crash`(words: [String], complaint: String)
        async throws
    {
        let folder = ProcessFleet.program(of: "orchestrator").deletingLastPathComponent()
        let (status, output) = try await Command.attempt(
            folder.appending(path: words[0]).path, Array(words.dropFirst()))
        #expect(status == 64)
        #expect(output.contains(complaint))
        #expect(output.split(separator: "\n").count == 1, "\(output)")
    }

    @Test func `names every mistake in its settings, a line each`() async throws {
        let (status, output) = try await run("orchestrator")
        #expect(status == 78)
        #expect(output.contains("orchestrator: AMQP_URL"))
    }
}
