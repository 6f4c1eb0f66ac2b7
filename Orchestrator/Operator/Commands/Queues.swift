import ArgumentParser
import Contracts
import FleetInspection
import Foundation
import Operations
import OrchestratorService
import WireJSON

/// Every queue with its depth.
struct Queues: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show every queue: ready, unacknowledged, consumers, rates, age of the oldest message.",
        discussion: """
            A dash stands for what only RabbitMQ's management API knows, where the orchestrator has none. The age is \
            what the orchestrator can be sure of from its own readings, ten seconds apart: the oldest message may be \
            ten seconds older, or as old as you like if it was there before the orchestrator. Retry tiers keep no \
            message longer than their pause.
            """)

    @OptionGroup var connection: Connection

    func run() async throws {
        let data = try await connection.client.get("/ops/queues", within: .seconds(8))
        try connection.show(data, as: QueuesAnswer.self) { answer in
            let faults = answer.faults.flatMap { $0.lines(at: Date()) }
            return (faults.isEmpty ? [] : faults + [""]) + Self.table(answer.queues).lines
        }
        guard try WireFormat.decode(QueuesAnswer.self, from: data).queues.isEmpty else { return }
        throw ExitCode(1)
    }

    static func table(_ queues: [QueueReading]) -> Table {
        Table(
            headings: ["queue", "ready", "unacked", "consumers", "in/s", "out/s", "oldest"],
            rows: queues.map { queue in
                [
                    queue.name, "\(queue.ready)", queue.unacked.map { "\($0)" } ?? "-", "\(queue.consumers)",
                    rate(queue.publishedPerSecond), rate(queue.deliveredPerSecond), age(of: queue),
                ]
            }, whenEmpty: "no queue can be shown")
    }

    private static func age(of queue: QueueReading) -> String {
        if let age = queue.oldestAgeSeconds { return "≥ \(age) s" }
        return queue.purpose == .retry || queue.unacked == nil ? "-" : ""
    }

    private static func rate(_ rate: Double?) -> String { rate.map { "\(($0 * 10).rounded() / 10)" } ?? "-" }
}
