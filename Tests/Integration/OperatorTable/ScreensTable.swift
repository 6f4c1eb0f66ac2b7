import Foundation
import TestKit

/// The table of the runbook that says what each screen shows in each trouble.
struct ScreensTable {
    struct Row {
        let trouble: String
        /// What `status`, `doctor` and `explain` print, beside what they always do; `…` stands for anything.
        let screens: [[String]]
    }

    let rows: [Row]

    /// Reads it from the document.
    init() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../Orchestrator/Documentation/RUNBOOK.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        guard
            let section = text.components(separatedBy: "\n## ").first(where: { $0.hasPrefix("What the screens say\n") })
        else { throw Trouble("the runbook has no section 'What the screens say'") }
        rows = section.split(separator: "\n").filter { $0.hasPrefix("| ") }.dropFirst().compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count == 4 else { return nil }
            return Row(trouble: cells[0], screens: cells[1...].map(Self.lines))
        }
    }

    /// A cell's lines are code with breaks between; a cell without code has none.
    private static func lines(_ cell: String) -> [String] {
        cell.matches(of: #/`([^`]+)`/#).map { String($0.1) }
    }
}

/// What a command printed, for comparing.
struct Screen {
    let text: String
    private let lines: [String]

    /// Spaces count as one, for tables are as wide as what is in them.
    init(_ output: String) {
        text = output
        lines = output.split(separator: "\n").map(Self.squeezed)
    }

    /// The lines that were expected and are not there.
    func lacks(_ patterns: [String]) -> [String] {
        patterns.filter { pattern in !lines.contains { Self.matches($0, Self.squeezed(pattern)) } }
    }

    private static func squeezed(_ line: some StringProtocol) -> String {
        line.split(separator: " ").joined(separator: " ")
    }

    private static func matches(_ line: String, _ pattern: String) -> Bool {
        let pieces = pattern.components(separatedBy: "…")
        guard pieces.count > 1 else { return line == pattern }
        guard let first = pieces.first, let last = pieces.last, line.hasPrefix(first), line.hasSuffix(last) else {
            return false
        }
        var rest = line.dropFirst(first.count)
        for piece in pieces.dropFirst().dropLast() {
            guard let found = rest.range(of: piece) else { return false }
            rest = rest[found.upperBound...]
        }
        return rest.count >= last.count
    }
}
