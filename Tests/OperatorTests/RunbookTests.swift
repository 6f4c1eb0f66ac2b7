import ArgumentParser
import FleetRuntime
import Foundation
import Testing

@testable import turnstile

/// That the alerts, the metrics they rest on, the runbook and its commands belong together.
@Suite struct `The runbook` {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")

    private static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    private static func alerts() throws -> [String] {
        try text("compose/prometheus/alerts.yaml").matches(of: #/- alert: (\w+)/#).map { String($0.1) }
    }

    /// The section that belongs to no alert; a test with a real fleet checks its table.
    private static let table = "What the screens say"

    /// The sections of the alerts, by their headings.
    private static func sections() throws -> [String: String] {
        let parts = try text("Orchestrator/Documentation/RUNBOOK.md").components(separatedBy: "\n## ").dropFirst()
        return Dictionary(
            uniqueKeysWithValues: parts.map { part in
                let lines = part.split(separator: "\n", maxSplits: 1)
                return (String(lines[0]), String(lines[1]))
            }.filter { $0.0 != table })
    }

    @Test func `has a section for each alert, and none for another`() throws {
        let alerts = try Self.alerts()
        #expect(alerts.count > 20)
        #expect(Set(alerts).count == alerts.count)
        #expect(try Self.sections().keys.sorted() == alerts.sorted())
    }

    @Test func `says of each alert what it means, how to look and how to mend, with commands`() throws {
        for (alert, section) in try Self.sections() {
            for part in ["**Means.**", "**Look.**", "**Mend.**"] {
                #expect(section.contains(part), "\(alert) lacks \(part)")
            }
            #expect(!Self.commands(in: section).isEmpty, "\(alert)")
        }
    }

    @Test func `is where each alert points, in words that name a way out`() throws {
        let text = try Self.text("compose/prometheus/alerts.yaml")
        for alert in try Self.alerts() {
            let link = "runbook_url: Orchestrator/Documentation/RUNBOOK.md#\(alert.lowercased())"
            #expect(text.contains(link), "\(alert)")
        }
        let links = try Self.text("Orchestrator/Documentation/RUNBOOK.md").matches(of: #/\]\(#([\w-]+)\)/#)
        let anchors = Set(
            (try Self.sections().keys + [Self.table]).map { $0.lowercased().replacing(" ", with: "-") })
        for link in links { #expect(anchors.contains(String(link.1)), "\(link.1)") }
    }

    @Test func `rests on alerts that are tested, and on metrics that exist`() throws {
        let tests = try Self.text("compose/prometheus/alerts.test.yaml")
        for alert in try Self.alerts() { #expect(tests.contains("alertname: \(alert)\n"), "\(alert) is not tested") }
        let known = Set(Metric.allCases.map(\.rawValue))
        for file in [
            "compose/prometheus/alerts.yaml", "compose/prometheus/alerts.test.yaml",
            "Orchestrator/Documentation/RUNBOOK.md",
        ] {
            let names = try Self.text(file).matches(of: #/\b(?:turnstile|process)_[a-z_]+/#).map { String($0.output) }
            #expect(!names.isEmpty)
            for name in names {
                let base = name.replacing(#/_(bucket|sum|count)$/#, with: "")
                #expect(known.contains(name) || known.contains(base), "\(file): \(name)")
            }
        }
    }

    @Test func `names only commands that exist`() throws {
        var count = 0
        for command in try Self.sections().values.flatMap(Self.commands) + Self.commands(in: try Self.introduction()) {
            count += 1
            switch command[0] {
            case "turnstile":
                #expect(throws: Never.self, "\(command)") { try Turnstile.parseAsRoot(Array(command.dropFirst())) }
            case "compose/dev":
                let known = try Self.text("compose/dev").contains("  \(command[1]) ")
                #expect(known, "\(command)")
            default: Issue.record("what is \(command)?")
            }
        }
        #expect(count > 50)
    }

    @Test func `would notice a command that does not exist`() {
        for words in [["sagas", "explian", "X"], ["dead", "replay"], ["fleet", "--loud"]] {
            #expect(throws: (any Error).self) { try Turnstile.parseAsRoot(words) }
        }
    }

    private static func introduction() throws -> String {
        try text("Orchestrator/Documentation/RUNBOOK.md").components(separatedBy: "\n## ")[0]
    }

    /// The lines of the shell blocks, in words; quotes hold words together.
    private static func commands(in section: String) -> [[String]] {
        section.matches(of: #/```sh\n([^`]*)```/#).flatMap { block in
            block.1.split(separator: "\n").map { line in
                line.matches(of: #/"([^"]*)"|(\S+)/#).map { String($0.1 ?? $0.2 ?? "") }
            }
        }
    }
}
