import ArgumentParser
import Contracts
import FleetInspection
import Foundation
import Operations
import OrchestratorService
import RabbitMQ
import WireJSON

/// Everything on one screen.
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what is wrong, every role, open sagas, holds, dead letters and busy queues on one screen.",
        discussion: """
            What is wrong comes first, each with what to do. A part whose server does not answer is unknown, and the rest \
            is shown. The numbers are of this moment, unless so much is open that counting takes long, or PostgreSQL \
            does not answer; then they are those of the last count, whose age is named.

            Exit status 1 when the orchestrator does not answer.
            """)

    @OptionGroup var connection: Connection

    @Flag(
        help: "Show it again every two seconds, until you press Control-C; also what was seen last, and how old it is.")
    var watch = false

    func run() async throws {
        guard watch else { return try connection.show(try await ask(), as: StatusAnswer.self) { Self.lines($0) } }
        var screen = StatusScreen()
        while true {
            do {
                let data = try await ask()
                if connection.json {
                    Terminal.show(json: data)
                } else {
                    screen.take(Self.lines(try WireFormat.decode(StatusAnswer.self, from: data)), at: Date())
                }
            } catch let refusal as Refusal {
                screen.miss("\(refusal)")
                if connection.json { Terminal.complain("\(refusal)") }
            }
            if !connection.json {
                Terminal.clear()
                for line in screen.lines(at: Date()) { Terminal.show(line) }
            }
            try await Task.sleep(for: .seconds(2))
        }
    }

    private func ask() async throws -> Data {
        try await connection.client.get("/ops/status", within: .seconds(8))
    }

    static func lines(_ status: StatusAnswer, at now: Date = Date()) -> [String] {
        var lines = ["the fleet at \(WireFormat.text(of: status.at))", ""]
        for fault in status.faults { lines += fault.lines(at: status.at) }
        if status.faults.isEmpty { lines.append("nothing is wrong") }
        lines.append("")
        lines += Self.roles(status).lines + [""]
        if status.processes == nil {
            for component in status.components where component.status != "ready" {
                lines.append(Terminal.warn("\(component.name) of this orchestrator is \(component.status)"))
            }
        }
        lines += numbers(status) + [""]
        guard let queues = status.queues else { return lines + ["queues        unknown"] }
        return lines + Queues.table(queues.filter { $0.purpose == .work || $0.ready > 0 }).lines
    }

    private static func roles(_ status: StatusAnswer) -> Table {
        Table(
            headings: ["role", "state", "processes"],
            rows: status.roles.map { role in
                [
                    role.role.rawValue, role.state == .ready ? "ready" : role.state.rawValue.uppercased(),
                    role.processes.map { "\($0)" } ?? "unknown",
                ]
            })
    }

    private static func numbers(_ status: StatusAnswer) -> [String] {
        let sagas = status.openSagas?.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let oldest = status.oldestOpenSaga.map { id in
            ", the oldest \(id) for \(status.oldestOpenSince?.age(at: status.at) ?? "?")"
        }
        let open = sagas.map { $0.isEmpty ? "none" : $0.joined(separator: ", ") } ?? "unknown"
        var lines = [
            "open sagas    \(open)\(oldest ?? "")",
            counted("attention", status.needingAttention, "turnstile sagas list --attention"),
            "holds         \(status.activeHolds?.of("ticket") ?? "unknown")",
            counted("dead letters", status.deadLetters, "turnstile dead list"),
            counted("undelivered", status.undelivered, "turnstile undelivered list"),
        ]
        if let counted = status.countedAt, status.at.timeIntervalSince(counted) > 5 {
            lines.append(Terminal.warn("counted       \(counted.age(at: status.at)) ago"))
        }
        return lines
    }

    private static func counted(_ name: String, _ count: Int?, _ advice: String) -> String {
        let label = name.padding(toLength: 14, withPad: " ", startingAt: 0)
        guard let count else { return "\(label)unknown" }
        return count == 0 ? "\(label)0" : Terminal.warn("\(label)\(count)  (\(advice))")
    }
}

/// What `--watch` shows: the last answer, and, while none comes, for how long and why.
struct StatusScreen {
    private var seen: (lines: [String], at: Date)?
    private var failure: String?

    mutating func take(_ lines: [String], at now: Date) {
        seen = (lines, now)
        failure = nil
    }

    mutating func miss(_ reason: String) { failure = reason }

    func lines(at now: Date) -> [String] {
        let clock = WireFormat.text(of: now)
        guard let failure else { return ["now \(clock)"] + (seen?.lines ?? []) }
        guard let seen else { return ["now \(clock)", Terminal.warn("NO ANSWER  \(failure)")] }
        return [
            "now \(clock)", Terminal.warn("NO ANSWER for \(seen.at.age(at: now))  \(failure)"),
            "what follows was last seen \(seen.at.age(at: now)) ago", "",
        ] + seen.lines
    }
}

extension FleetFault {
    /// What is wrong and since when, and under it what to do.
    func lines(at now: Date) -> [String] {
        [Terminal.warn("WRONG  \(sentence(at: now))"), "       \(advice)"]
    }

    func sentence(at now: Date) -> String { what + (since.map { " (for \($0.age(at: now)))" } ?? "") }
}
