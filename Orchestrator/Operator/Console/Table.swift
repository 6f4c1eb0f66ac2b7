import Foundation

/// Rows under headings, each column as wide as it must be.
struct Table {
    let headings: [String]
    let rows: [[String]]
    var isPlain = !Terminal.hasColour

    var lines: [String] {
        guard !rows.isEmpty else { return ["nothing"] }
        let widths = headings.indices.map { column in
            ([headings] + rows).map { $0[column].count }.max() ?? 0
        }
        let title = line(headings, widths)
        return [isPlain ? title : "\u{1B}[1m\(title)\u{1B}[0m"] + rows.map { line($0, widths) }
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        let padded = zip(cells, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
        return String(padded.joined(separator: "  ").reversed().drop { $0 == " " }.reversed())
    }
}

/// What the place that we print to can show.
enum Terminal {
    /// Colour only for people: not into files, and not for those who asked for none.
    static let hasColour =
        isatty(STDOUT_FILENO) == 1 && ProcessInfo.processInfo.environment["NO_COLOR"] == nil

    static func warn(_ text: String) -> String { hasColour ? "\u{1B}[33m\(text)\u{1B}[0m" : text }

    static func clear() { print("\u{1B}[2J\u{1B}[H", terminator: "") }
}

extension Date {
    /// How long ago it was, in the one unit that says most.
    func age(at now: Date = Date()) -> String {
        let seconds = max(0, Int(now.timeIntervalSince(self)))
        return switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) d"
        }
    }
}

extension String {
    func shortened(to length: Int) -> String { count <= length ? self : prefix(length - 1) + "…" }
}
