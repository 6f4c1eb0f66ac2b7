import Contracts
import FleetInspection
import FleetRuntime
import Foundation
import Glibc
import Hosting
import TestKit
import Testing

/// What machines see of the fleet's real processes.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `The processes of a fleet` {
    @Test func `are on the roll, and pass Prometheus's own check and scrape`() async throws {
        try await withProcesses { fleet in
            try await fleet.buy()
            try await Self.expectRoll(of: fleet)
            for member in fleet.members {
                let text = String(decoding: try await fetch("http://\(member.address)/metrics").body, as: UTF8.self)
                #expect(text.contains("turnstile_build_info{version=\"\(Release.version)\""), "\(member.name)")
                let (status, output) = try Tool.run("promtool", ["check", "metrics"], input: Data(text.utf8))
                #expect(status == 0, "\(member.name): \(output)")
                #expect(output == "", "\(member.name)")
            }
            try await Prometheus.scraping(fleet) { prometheus in
                try await until("all six are up") { try await prometheus.value("sum(up)") == 6 }
                try await until("the purchase is counted") {
                    try await prometheus.value(#"sum(turnstile_saga_transitions_total{to="completed"})"#) == 1
                }
                let roles = "count(count by (role) (turnstile_messages_consumed_total > 0))"
                #expect(try await prometheus.value(roles) ?? 0 >= 5)
                try await until("every rule was evaluated") {
                    try await prometheus.ruleHealths().allSatisfy { $0 == "ok" }
                }
                #expect(try await prometheus.ruleHealths().count >= 20)
                #expect(try await prometheus.firing() == [])
            }
            for member in fleet.members {
                let lines = try member.lines
                #expect(!lines.isEmpty)
                for line in lines {
                    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
                    #expect(object?["process"]?.contains(member.name) == true, "\(line)")
                    #expect(!line.contains("lovelace"), "\(line)")
                }
            }
        }
    }

    private static func expectRoll(of fleet: ProcessFleet) async throws {
        var members: [FleetMember] = []
        try await until("all six have signed, with their last batches") {
            members = try await fleet.roll()
            return members.count == 6 && members.allSatisfy { $0.status == "ready" }
                && members.contains { $0.lanes.contains { $0.lastBatch != nil } }
        }
        #expect(Set(members.map(\.pid)) == Set(fleet.members.map { Int($0.pid) }))
        #expect(members.map(\.process).sorted().first == "orchestrator")
        #expect(members.allSatisfy { $0.isLive == true && $0.version == Release.version && $0.builtAt != nil })
        let payment = try #require(members.first { $0.process == "worker payment" })
        #expect(payment.lanes.map(\.queue) == ["payment.commands"])
        #expect(abs(payment.startedAt.timeIntervalSinceNow) < 120)
    }

    @Test func `say in one line that somebody has their port`() async throws {
        try await withProcesses { fleet in
            let taken = try fleet.member("recommendation").address
            let log = fleet.folder.appending(path: "second.log")
            var environment = ProcessInfo.processInfo.environment
            environment["ADMIN_PORT"] = taken.split(separator: ":").last.map { String($0) }
            environment["OPERATOR_KEYS"] = "ada:\(TestFleet.operatorKey)"
            let second = try Child(
                "a second worker", ProcessFleet.program(of: "recommendation"), ["recommendation"],
                environment: environment, log: log)
            try await second.ended(within: .seconds(30))
            #expect(second.status == 69)
            let last = try String(contentsOf: log, encoding: .utf8).split(separator: "\n").last
            #expect(last?.hasPrefix("worker recommendation: cannot serve HTTP at \(taken): ") == true, "\(last ?? "")")
        }
    }

    @Test func `leave the roll when they stop`() async throws {
        try await withProcesses { fleet in
            try await until("all six have signed") { try await fleet.roll().count == 6 }
            #expect(kill(try fleet.member("recommendation").pid, SIGTERM) == 0)
            try await until("the one that stops is struck off") { try await fleet.roll().count == 5 }
            #expect(try await fleet.roll().allSatisfy { $0.isLive == true && $0.process != "worker recommendation" })
        }
    }
}

extension ProcessFleet {
    /// Publishes an event and buys a ticket for it.
    fileprivate func buy() async throws {
        let tiers = #"{"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":100}"#
        let event = try await send("POST", try url + "/events", body: Data(TestFleet.event(tiers).utf8))
            .decode(EventReading.self).eventId
        let wish = #"{"userId":"ada","eventId":"\#(event)","quantity":1,"email":"ada.lovelace@example.org"}"#
        let purchase = try await send(
            "POST", try url + "/saga/start", body: Data(wish.utf8), headers: ["Prefer": "wait=20"])
        #expect(try purchase.decode(SagaReading.self).outcome == "completed")
    }

    fileprivate func roll() async throws -> [FleetMember] {
        struct Answer: Decodable { let members: [FleetMember] }

        let key = "Bearer \(TestFleet.operatorKey)"
        return try await fetch(try url + "/ops/fleet", headers: ["Authorization": key]).decode(Answer.self).members
    }
}
