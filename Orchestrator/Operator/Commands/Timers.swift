import ArgumentParser
import Contracts
import Foundation
import Operations
import OrchestratorService
import WireJSON

/// The next timers to ring.
struct Timers: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show the timers that ring next.")

    @OptionGroup var connection: Connection

    @Option(help: "How many.")
    var limit = 20

    private struct Answer: Decodable { let timers: [TimerReading] }

    func run() async throws {
        let data = try await connection.client.get("/ops/timers", [("limit", "\(limit)")])
        try connection.show(data, as: Answer.self) { answer in
            Table(
                headings: ["due", "subject", "saga"],
                rows: answer.timers.map { [WireFormat.text(of: $0.dueAt), $0.subject, "\($0.sagaId)"] },
                whenEmpty: "no timer is set"
            ).lines
        }
    }
}
