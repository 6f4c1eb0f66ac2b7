import ArgumentParser
import Contracts
import FleetInspection
import FleetRuntime
import Foundation
import Hosting
import WireJSON

/// Who is alive.
struct Fleet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show the live processes: version, host, since when, state, lanes, rate, last batch.",
        discussion: """
            Each process signs in Redis every five seconds; one that was not heard of for fifteen is shown as silent, \
            and after a minute no more. One line per queue that a process consumes.
            """)

    @OptionGroup var connection: Connection

    struct Answer: Decodable { let members: [FleetMember] }

    func run() async throws {
        let data = try await connection.client.get("/ops/fleet")
        try connection.show(data, as: Answer.self) { Self.table($0.members).lines }
    }

    static func table(_ members: [FleetMember], at now: Date = Date()) -> Table {
        Table(
            headings: [
                "process", "version", "built", "host", "pid", "up", "state", "queue", "lanes", "msg/s", "last batch",
            ],
            rows: members.flatMap { member in
                let who = [
                    member.process, member.version, member.builtAt.map(WireFormat.text(of:)) ?? "-", member.host,
                    "\(member.pid)", member.startedAt.age(at: now),
                    member.isLive == true ? member.status : "silent for \(member.seenAt?.age(at: now) ?? "?")",
                ]
                let queues = Dictionary(grouping: member.lanes, by: \.queue).sorted { $0.key < $1.key }
                return queues.isEmpty
                    ? [who + ["", "", "", ""]] : queues.map { who + cells(of: $0.key, $0.value, at: now) }
            })
    }

    private static func cells(of queue: String, _ lanes: [ConsumerReading], at now: Date) -> [String] {
        let rate = lanes.reduce(0) { $0 + $1.perSecond }
        let last = lanes.compactMap(\.lastBatch).max { $0.at < $1.at }
        let batch = last.map { "\($0.messages) in \($0.milliseconds) ms, \($0.at.age(at: now)) ago" }
        return [queue, "\(lanes.count)", "\((rate * 10).rounded() / 10)", batch ?? "none yet"]
    }
}
