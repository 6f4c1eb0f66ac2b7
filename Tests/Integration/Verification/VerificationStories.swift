import Contracts
import Foundation
import Logging
import Operations
import OrchestratorService
import Postgres
import TestKit
import Testing
import Verification

/// That a verification finds what is wrong, and nothing else.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `A verification` {
    @Test func `names every kind of corruption, and finds nothing in a sale that went well`() async throws {
        try await withFleetServers { database, broker in
            try await runFleet(database, broker, [:]) { try await sell($0) }
            try await expectSound(database, settled: true)
            for corruption in Corruption.all {
                try await withCopy(of: database) { copy in
                    try await copy.owner().script(corruption.sql)
                    if corruption.onlyWhenSettled { try await expectSound(copy, settled: false) }
                    let report = try await verify(copy, settled: corruption.onlyWhenSettled)
                    let isNamed = report.violations.contains {
                        $0.promise == corruption.promise && "\($0.subject): \($0.detail)".contains(corruption.words)
                    }
                    #expect(isNamed, "\(corruption): \(report.lines.joined(separator: "\n"))")
                }
            }
        }
    }

    @Test func `sees a change of any column of any table, or it is written down why not`() async throws {
        try await withFleetServers { database, broker in
            try await runFleet(database, broker, ["DEAD_LETTERS": "filed"]) { fleet in
                try await sell(fleet)
                try await leaveTracesOfAnOperator(fleet)
            }
            try await expectSound(database, settled: true)
            let owner = database.owner()
            let probe = ColumnProbe(owner: owner) { try await verify(database, settled: true) }
            let columns = try await probe.columns()
            #expect(columns.count > 120)
            for column in columns {
                switch try await probe.look(at: column) {
                case .nothingThere:
                    #expect(
                        Unseen.empty.contains("\(column.schema).\(column.table)"), "\(column.place): no row to change")
                case .seen:
                    #expect(Unseen.columns[column.place] == nil, "\(column.place) is seen; its excuse can go")
                case .unseen(let values):
                    #expect(column.excuse != nil, "\(column.place) can be set to \(values) unseen")
                }
            }
            await owner.close()
            try await expectSound(database, settled: true)
        }
    }

    /// A letter that was dropped, and a pause.
    private func leaveTracesOfAnOperator(_ fleet: TestFleet) async throws {
        try await fleet.withUpstream { upstream in
            try await upstream.publish(Data("{}".utf8), kind: "purchase.dream.v1", messageID: "poison")
        }
        try await until("the letter is dropped") {
            let answer = try await fleet.act(
                "POST", "/ops/dead/orchestrator.commands/drop", #"{"reason":"a dream"}"#)
            return try !answer.decode(DeadLetterOutcome.self).letters.isEmpty
        }
        _ = try await fleet.act("POST", "/ops/pauses", #"{"all":true,"reason":"at rest"}"#)
    }

    @Test func `finds nothing wrong in the middle of a sale, and HTTP tells the same`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish(
                #"{"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":400}"#)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await withThrowingTaskGroup(of: Void.self) { buyers in
                        for number in 0..<300 {
                            let method = number.isMultiple(of: 3) ? "sim_declined" : "sim_ok"
                            buyers.addTask {
                                _ = try await fleet.start(event, #""quantity":1,"paymentMethod":"\#(method)""#)
                            }
                        }
                        try await buyers.waitForAll()
                    }
                }
                for _ in 0..<3 { try await expectSound(fleet.database, settled: false) }
                try await group.waitForAll()
            }
            let answer = try await fleet.operate("GET", "/verify")
            #expect(answer.status == 200)
            #expect(try answer.json["isSound"] as? Bool == true, "\(String(decoding: answer.body, as: UTF8.self))")
            #expect(try await fleet.operate("GET", "/verify?settled=perhaps").status == 422)
        }
    }

    /// One purchase of each fate.
    private func sell(_ fleet: TestFleet) async throws {
        let hall = try await fleet.publish(
            #"{"name":"Hall","price":{"currency":"EUR","minor":4500},"capacity":3,"seats":["A-1","A-2","A-3"]}"#)
        let floor = try await fleet.publish(
            #"{"name":"Floor","price":{"currency":"EUR","minor":4500},"capacity":4}"#)
        #expect(try await fleet.buy(hall, #""seats":["A-1"]"#).outcome == "completed")
        #expect(try await fleet.buy(floor, #""quantity":3"#).outcome == "completed")
        #expect(try await fleet.buy(floor, #""quantity":1,"paymentMethod":"sim_declined""#).outcome == "refused")
        #expect(try await fleet.buy(hall, #""seats":["A-1"]"#).reason == "seats-taken")
        let regretted = try await fleet.buy(floor, #""quantity":1,"holdSeconds":30"#).sagaId
        _ = try await fleet.call("POST", "/sagas/\(regretted)/refund")
        _ = try await fleet.saga(regretted) { $0.outcome == "refunded" }
        let dropped = try await fleet.start(
            floor, #""quantity":1,"paymentMethod":"sim_never""#, headers: ["Idempotency-Key": "dropped"]
        )
        .decode(SagaReading.self).sagaId
        try await until("the provider was asked for the payment") {
            try await fleet.count("payment.simulated_charge WHERE status = 'pending'") == 1
        }
        _ = try await fleet.call("POST", "/sagas/\(dropped)/cancel")
        _ = try await fleet.saga(dropped) { $0.outcome == "refused" }
        try await until("the short hold's timer is cancelled") {
            try await fleet.count("expiry.timer WHERE due_at IS NOT NULL AND status = 'cancelled'") == 1
        }
        var open = 1
        while open > 0 {
            open =
                try await fleet.count("orchestrator.saga WHERE wake_at IS NOT NULL")
                + fleet.count("orchestrator.event WHERE NOT is_stocked")
                + fleet.count("payment.charge WHERE next_check_at IS NOT NULL")
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func expectSound(_ database: TestDatabase, settled: Bool) async throws {
        let report = try await verify(database, settled: settled)
        #expect(report.isSound, "\(report.lines.joined(separator: "\n"))")
    }

    private func verify(_ database: TestDatabase, settled: Bool) async throws -> VerificationReport {
        var options = Verifier.Options(settled: settled)
        options.page = 3
        options.pause = .milliseconds(settled ? 1 : 50)
        return try await database.verifier(options).run()
    }
}
