import Foundation
import TestKit
import Testing

/// That an operator's first screens show what is wrong, and that the runbook says so in their words.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `The table of what the screens say` {
    @Test func `is what they really print in each trouble, and they are clean again after it`() async throws {
        let table = try ScreensTable()
        #expect(table.rows.map(\.trouble) == FleetTrouble.allCases.map(\.rawValue))
        try await withFleetServers { database, brokerURL in
            let folder = FileManager.default.temporaryDirectory.appending(path: uniqueName("troubled"))
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let fleet = try await TroubledFleet(database, brokerURL, in: folder)
            let outcome: Result<Void, any Error>
            do {
                try await fleet.up()
                for row in table.rows {
                    guard let trouble = FleetTrouble(rawValue: row.trouble) else { continue }
                    try await Self.expectAllWell(fleet, before: trouble)
                    try await Self.expect(row, of: trouble, in: fleet)
                }
                try await Self.expectAllWell(fleet, before: nil)
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            try await fleet.down()
            try FileManager.default.removeItem(at: folder)
            try outcome.get()
        }
    }

    private static func expect(_ row: ScreensTable.Row, of trouble: FleetTrouble, in fleet: TroubledFleet) async throws
    {
        var lacking: [[String]] = []
        var outputs: [String] = []
        do {
            try await trouble.make(in: fleet)
            try await TestKit.until("\(row.trouble) shows", within: .seconds(60)) {
                let screens = try await fleet.screens()
                lacking = zip(screens, row.screens).map { $0.lacks($1) }
                outputs = screens.map(\.text)
                return lacking.allSatisfy(\.isEmpty)
            }
        } catch is Trouble {
            for (name, (lines, output)) in zip(["status", "doctor", "explain"], zip(lacking, outputs))
            where !lines.isEmpty {
                Issue.record("\(row.trouble): \(name) does not print\n\(lines.joined(separator: "\n"))\nbut\n\(output)")
            }
        }
        try await trouble.mend(in: fleet)
    }

    private static func expectAllWell(_ fleet: TroubledFleet, before trouble: FleetTrouble?) async throws {
        var output = ""
        do {
            try await TestKit.until("all is well before \(trouble?.rawValue ?? "the end")", within: .seconds(180)) {
                let (status, doctor) = (try await fleet.turnstile("status"), try await fleet.turnstile("doctor"))
                output = status.output + doctor.output
                return Screen(status.output).lacks(["nothing is wrong"]).isEmpty && doctor.status == 0
            }
            try await fleet.sell()
        } catch let trouble as Trouble {
            throw Trouble("\(trouble)\n\(output)")
        }
    }
}
