import Contracts
import Foundation
import Operations
import OrchestratorService
import Testing
import WireJSON

@testable import turnstile

@Suite struct `The status screen` {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)

    private func answer(_ rest: String) throws -> StatusAnswer {
        let text =
            #"{"at":"2027-01-15T08:00:00Z","components":[{"name":"redis","status":"degraded: it is away"}],\#(rest)}"#
        return try WireFormat.decode(StatusAnswer.self, from: Data(text.utf8))
    }

    @Test func `shows what is wrong first, with since when and what to do, and every role`() throws {
        let fault =
            #"{"subject":"process","name":"payment","what":"no payment worker runs","since":"2027-01-15T07:59:00Z","#
            + #""advice":"start one"}"#
        let roles = ["orchestrator", "payment"].map { role in
            #"{"role":"\#(role)","state":"\#(role == "payment" ? "missing" : "ready")","#
                + #""processes":\#(role == "payment" ? 0 : 1),"faults":[]}"#
        }
        let lines = turnstile.Status.lines(
            try answer(
                #""faults":[\#(fault)],"roles":[\#(roles.joined(separator: ","))],"processes":{"orchestrator":1},"#
                    + #""openSagas":{"charging":2},"needingAttention":0,"activeHolds":1,"deadLetters":1,"queues":[],"#
                    + #""countedAt":"2027-01-15T08:00:00Z""#))
        #expect(lines[2] == "WRONG  no payment worker runs (for 60 s)")
        #expect(lines[3] == "       start one")
        #expect(lines.contains("payment       MISSING  0"))
        #expect(lines.contains("holds         1 ticket"))
        #expect(!lines.contains { $0.hasPrefix("counted") })
    }

    @Test func `shows the rest when servers are away, and how old it is`() throws {
        let fault = #"{"subject":"PostgreSQL","what":"PostgreSQL cannot be reached","advice":"check it"}"#
        let lines = turnstile.Status.lines(
            try answer(
                #""faults":[\#(fault)],"roles":[],"openSagas":{},"needingAttention":0,"activeHolds":0,"deadLetters":0,"#
                    + #""countedAt":"2027-01-15T07:59:15Z""#))
        #expect(lines.contains("counted       45 s ago"))
        #expect(lines.contains("queues        unknown"))
        #expect(lines.contains("redis of this orchestrator is degraded: it is away"))
        let blind = turnstile.Status.lines(try answer(#""faults":[\#(fault)],"roles":[]"#))
        #expect(blind.contains("open sagas    unknown"))
        #expect(blind.contains("dead letters  unknown"))
    }

    @Test func `that is watched has a clock, and says how old it is when nobody answers`() {
        var screen = StatusScreen()
        screen.miss("cannot reach it")
        #expect(screen.lines(at: now) == ["now 2027-01-15T08:00:00.000Z", "NO ANSWER  cannot reach it"])
        screen.take(["all is well"], at: now)
        #expect(screen.lines(at: now) == ["now 2027-01-15T08:00:00.000Z", "all is well"])
        screen.miss("cannot reach it")
        let lines = screen.lines(at: now.addingTimeInterval(14))
        #expect(lines[0] == "now 2027-01-15T08:00:14.000Z")
        #expect(lines[1] == "NO ANSWER for 14 s  cannot reach it")
        #expect(lines[2] == "what follows was last seen 14 s ago")
        #expect(lines.last == "all is well")
    }

    @Test func `counts in words that people use`() {
        #expect(1.of("ticket") == "1 ticket")
        #expect(0.of("ticket") == "0 tickets")
    }
}

@Suite struct `A command without an orchestrator` {
    @Test func `says soon that nobody is there, and what to do`() async throws {
        // Nothing listens on port 1.
        let client = OperatorClient(
            Surroundings(environment: [:], from: "/", program: "/bin/sh"), url: "http://127.0.0.1:1")
        let began = ContinuousClock.now
        do {
            _ = try await client.get("/ops/status")
            Issue.record("somebody answered")
        } catch let refusal as Refusal {
            #expect(
                refusal.description.contains("cannot reach the orchestrator at http://127.0.0.1:1: connection refused"))
            #expect(refusal.description.contains("compose/dev start orchestrator"))
            #expect(!refusal.description.contains("errno"))
        }
        #expect(ContinuousClock.now - began < .seconds(10))
    }

    @Test func `is told what is wrong with its address`() async {
        let client = OperatorClient(
            Surroundings(environment: [:], from: "/", program: "/bin/sh"), url: "nonsense")
        await #expect(throws: Refusal.self) { try await client.get("/ops/status") }
    }
}
