import ArgumentParser
import Contracts
import FleetRuntime
import Foundation
import OrchestratorService

/// Everything on one screen.
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show components, processes, open sagas, holds, dead letters and busy queues on one screen.",
        discussion: """
            The numbers are of this moment, unless so much is open that counting takes long; then they are those of the \
            last count, which is named.
            """)

    @OptionGroup var connection: Connection

    @Flag(help: "Show it again every two seconds, until you press Control-C.")
    var watch = false

    func run() async throws {
        guard watch else { return try await show() }
        while true {
            do {
                try await show()
            } catch let refusal as Refusal {
                Terminal.show("\(refusal)")
            }
            try await Task.sleep(for: .seconds(2))
        }
    }

    private func show() async throws {
        let data = try await connection.client.get("/ops/status")
        if watch && !connection.json { Terminal.clear() }
        try connection.show(data, as: StatusAnswer.self, Self.lines)
    }

    static func lines(_ status: StatusAnswer) -> [String] {
        let components = Table(
            headings: ["component", "status"], rows: status.components.map { [$0.name, $0.status] })
        let processes = status.processes.map { processes in
            processes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
        }
        let sagas = status.openSagas.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let oldest = status.oldestOpenSaga.map { id in
            ", the oldest \(id) since \(status.oldestOpenSince?.age(at: status.at) ?? "?")"
        }
        var lines =
            components.lines + [
                "", "processes     \(processes ?? "unknown, for Redis does not answer")",
                "open sagas    \(sagas.isEmpty ? "none" : sagas.joined(separator: ", "))\(oldest ?? "")",
            ]
        lines.append(
            counted("attention", status.needingAttention, "sagas wait for you: turnstile sagas list --attention"))
        lines.append("holds         \(status.activeHolds) tickets")
        lines.append(counted("dead letters", status.deadLetters, "turnstile dead list"))
        if Date().timeIntervalSince(status.at) > 5 { lines.append("counted       \(status.at.age()) ago") }
        lines += idle(status.queues) + [""]
        return lines + Queues.table(status.queues.filter { $0.purpose == .work || $0.ready > 0 }).lines
    }

    private static func counted(_ name: String, _ count: Int, _ advice: String) -> String {
        let label = name.padding(toLength: 14, withPad: " ", startingAt: 0)
        return count == 0 ? "\(label)0" : Terminal.warn("\(label)\(count)  (\(advice))")
    }

    private static func idle(_ queues: [QueueReading]) -> [String] {
        queues.filter { $0.purpose == .work && $0.consumers == 0 }.map {
            Terminal.warn("nobody works on \($0.name): start its process, then look again")
        }
    }
}

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

    struct Answer: Decodable { let queues: [QueueReading] }

    func run() async throws {
        let data = try await connection.client.get("/ops/queues")
        try connection.show(data, as: Answer.self) { Self.table($0.queues).lines }
    }

    static func table(_ queues: [QueueReading]) -> Table {
        Table(
            headings: ["queue", "ready", "unacked", "consumers", "in/s", "out/s", "oldest"],
            rows: queues.map { queue in
                [
                    queue.name, "\(queue.ready)", queue.unacked.map { "\($0)" } ?? "-", "\(queue.consumers)",
                    rate(queue.publishedPerSecond), rate(queue.deliveredPerSecond), age(of: queue),
                ]
            })
    }

    private static func age(of queue: QueueReading) -> String {
        if let age = queue.oldestAgeSeconds { return "≥ \(age) s" }
        return queue.purpose == .retry || queue.unacked == nil ? "-" : ""
    }

    private static func rate(_ rate: Double?) -> String { rate.map { "\(($0 * 10).rounded() / 10)" } ?? "-" }
}

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
                rows: answer.timers.map { [WireFormat.text(of: $0.dueAt), $0.subject, "\($0.sagaId)"] }
            ).lines
        }
    }
}
