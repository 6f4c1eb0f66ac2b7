import Contracts
import Foundation
import Glibc
import TestKit

/// Whole processes that die, hang, stop, start in any order, or come in threes.
extension Fault {
    static let processes: [Fault] =
        [
            Fault(
                "A-kill", "every process is killed and started again", how: "SIGKILL to all six, then start",
                bound: .seconds(15)
            ) { stage in
                for member in await stage.fleet.all { try await stage.fleet.kill9(member) }
                try await stage.fleet.up()
                return "all six were gone at once"
            },
            Fault(
                "A11", "the expiry worker is away while holds run out", how: "SIGKILL, 12 s, start", bound: .seconds(15)
            ) { stage in
                try await stage.fleet.kill9(try await stage.fleet.first(.expiry))
                try await stage.pause(.seconds(12))
                let overdue = try await stage.books.count(
                    "expiry.timer WHERE status = 'scheduled' AND due_at < now()")
                try await stage.fleet.up()
                let took = try await until("overdue timers ring", within: .seconds(20)) {
                    try await stage.books.count(
                        "expiry.timer WHERE status = 'scheduled' AND due_at < now() - interval '1 second'") == 0
                }
                return "\(overdue) timers were overdue; they rang \(took.text) after the start"
            },
            Fault(
                "A12", "three of every process at once", how: "two more of each are started; one of each is killed",
                bound: .seconds(15)
            ) { stage in
                try await stage.fleet.up(3)
                try await stage.pause(.seconds(8))
                for role in FleetRole.allCases { try await stage.fleet.kill9(try await stage.fleet.first(role)) }
                try await stage.pause(.seconds(4))
                return "18 processes, 6 of them killed"
            },
            Fault(
                "A14", "every process is asked to stop under load", how: "SIGTERM to each in turn, then start",
                bound: .seconds(15)
            ) { stage in
                var longest = Duration.zero
                for member in await stage.fleet.all {
                    let began = ContinuousClock.now
                    let status = try await stage.fleet.stop(member)
                    longest = max(longest, ContinuousClock.now - began)
                    guard status == 0 else { throw Trouble("\(member.name) ended with status \(status)") }
                    try await stage.fleet.start(member.role, member.number)
                }
                try await stage.fleet.ready()
                guard longest < .seconds(15) else { throw Trouble("the slowest stop took \(longest.text)") }
                return "all ended with status 0, the slowest in \(longest.text)"
            },
            Fault(
                "A16", "the fleet starts before its servers",
                how: "servers and fleet down; fleet up, 8 s later the servers"
            ) { stage in
                try await stage.fleet.stopAll()
                for server in Servers.Name.allCases {
                    try await stage.servers.end(server, server == .postgres ? SIGINT : SIGTERM)
                }
                for role in FleetRole.allCases.reversed() { try await stage.fleet.start(role) }
                try await stage.pause(.seconds(8))
                for member in await stage.fleet.all {
                    if let status = member.status { throw Trouble("\(member.name) gave up with status \(status)") }
                    let live = await stage.web.status("http://127.0.0.1:\(member.port)/health/live")
                    let ready = await stage.web.status("http://127.0.0.1:\(member.port)/health/ready")
                    guard live == 200, ready == 503 else {
                        throw Trouble("\(member.name) says live \(live ?? 0), ready \(ready ?? 0)")
                    }
                }
                try await stage.servers.up()
                return "without servers every process lived on and said that it was not ready"
            },
            Fault(
                "A17", "a process dies of a message again and again", how: "SIGKILL at every delivery, seven starts",
                bound: .seconds(15)
            ) { stage in
                if let member = await stage.fleet.of(.reservation).first { try await stage.fleet.kill9(member) }
                for _ in 1...7 {
                    let member = try await stage.fleet.start(.reservation, 1, ["FAULT": "lane.taken:1"])
                    try await member.ended(within: .seconds(20))
                    await stage.fleet.forget(member)
                }
                let parked = try await stage.broker.depth(of: "reservation.commands.dead")
                try await stage.fleet.up()
                return
                    "after the delivery limit \(parked) messages were parked as dead letters; the watchdog asked again"
            },
            Fault(
                "A13", "processes hang while others take over",
                how:
                    "a second orchestrator, reservation and payment process; SIGSTOP to the first of each, 35 s, SIGCONT",
                bound: .seconds(15)
            ) { stage in
                var zombies: [Member] = []
                for role in [FleetRole.orchestrator, .reservation, .payment] {
                    zombies.append(try await stage.fleet.first(role))
                    try await stage.fleet.start(role, 2)
                }
                try await stage.fleet.ready()
                for zombie in zombies { try zombie.signal(SIGSTOP) }
                let before = await stage.buyers.tally.accepted
                try await stage.pause(.seconds(35))
                let sold = await stage.buyers.tally.accepted - before
                for zombie in zombies { try zombie.signal(SIGCONT) }
                return "\(sold) purchases were accepted meanwhile; what the first did late changed nothing"
            },
        ]
}
