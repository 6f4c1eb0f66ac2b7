import Contracts
import Glibc
import TestKit

/// Processes die at named places, at the first, second and third time they come by, and start again.
///
/// Processes of different roles die in the same round: each has its own place, and all must be survived together.
extension Fault {
    private struct Round: Sendable {
        let id: String
        let title: String
        let places: [(role: FleetRole, point: String)]
        /// A role that hangs again and again meanwhile, so that its answers are overdue.
        var hanging: FleetRole?
    }

    private static let everybody: [FleetRole] = [.orchestrator, .reservation, .payment, .notification, .expiry]

    private static let rounds: [Round] = [
        Round(
            id: "A3 A7", title: "every process dies before the commit of a batch",
            places: everybody.map { ($0, "ledger.before-commit") }),
        Round(
            id: "A4 A7", title: "every process dies after the commit, before publishing",
            places: everybody.map { ($0, "ledger.committed") }),
        Round(
            id: "A5", title: "every process dies after publishing, before the confirms",
            places: everybody.map { ($0, "publisher.sent") }),
        Round(
            id: "A5-ack", title: "every process dies after the confirms, before the ack",
            places: everybody.map { ($0, "lane.before-ack") }),
        Round(
            id: "A1 A8",
            title: "/saga/start after its commit; a charge is made and not written down; a timer is claimed",
            places: [
                (.orchestrator, "start.committed"), (.payment, "provider.after-call"), (.expiry, "timers.claimed"),
                (.notification, "letter.delivered"), (.reservation, "lane.acknowledged"),
            ]),
        Round(
            id: "A2 A9",
            title: "/saga/start before its commit; a charge is not made, its key is stored; a timer has rung",
            places: [
                (.orchestrator, "start.before-commit"), (.payment, "provider.before-call"), (.expiry, "timers.told"),
            ]),
        Round(
            id: "A6", title: "the outbox relay holds a claim; pending charges are claimed",
            places: [(.orchestrator, "outbox.claimed"), (.payment, "charges.claimed")]),
        Round(
            id: "A5-relay",
            title: "the outbox relay has published and not marked; pending charges are settled and not told",
            places: [(.orchestrator, "outbox.confirmed"), (.payment, "charges.recorded")]),
        Round(
            id: "A5-watchdog",
            title: "the watchdog has committed and not sent; pending charges are told and not marked",
            places: [(.orchestrator, "watchdog.committed"), (.payment, "charges.answered")], hanging: .reservation),
    ]

    static let killPoints = rounds.map { round in
        let points = Set(round.places.map { "`\($0.point)`" }).sorted().joined(separator: ", ")
        return Fault(
            round.id, round.title, how: "SIGKILL at \(points), first to third time, restart", bound: .seconds(15),
            rate: 20
        ) { stage in
            // What only an event on sale brings about does not come by itself.
            let publishing = Task {
                while !Task.isCancelled {
                    _ = try await stage.buyers.open()
                    try await Task.sleep(for: .milliseconds(500))
                }
            }
            let stalling = Task {
                guard let role = round.hanging else { return }
                let member = try await stage.fleet.first(role)
                while !Task.isCancelled { try await stall(member) }
            }
            defer {
                publishing.cancel()
                stalling.cancel()
            }
            let deaths = try await withThrowingTaskGroup(of: Int.self) { group in
                for (role, point) in round.places {
                    group.addTask {
                        let deaths = try await stage.fleet.die(role, at: point)
                        guard deaths == 3 else {
                            throw Trouble("\(role.rawValue) died \(deaths) times of 3 at \(point)")
                        }
                        return deaths
                    }
                }
                return try await group.reduce(0, +)
            }
            return "\(deaths) deaths of \(round.places.count) processes"
        }
    }

    /// Stops a process for longer than a step may take, and lets it work for a moment.
    private static func stall(_ member: Member) async throws {
        try member.signal(SIGSTOP)
        let rest = await Task { try await Task.sleep(for: .seconds(4)) }.result
        try member.signal(SIGCONT)
        try rest.get()
        try await Task.sleep(for: .seconds(1))
    }
}
