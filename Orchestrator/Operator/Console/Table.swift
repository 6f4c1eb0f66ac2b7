import Contracts
import Foundation

/// Rows under headings, each column as wide as it must be.
struct Table {
    let headings: [String]
    let rows: [[String]]
    var isPlain = !Terminal.hasColour
    /// What to say when there is no row.
    var whenEmpty = "there are none"

    var lines: [String] {
        guard !rows.isEmpty else { return [whenEmpty] }
        let rows = rows.map { $0.map(VisibleText.escaped) }
        let widths = headings.indices.map { column in
            ([headings] + rows).map { $0[column].count }.max() ?? 0
        }
        let title = line(headings, widths)
        return [isPlain ? title : Terminal.bold(title)] + rows.map { line($0, widths) }
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

    static func warn(_ text: String) -> String { hasColour ? styled(text, "33") : text }

    static func bold(_ text: String) -> String { styled(text, "1") }

    /// Prints a line: what came from outside shows as escapes, and only styles of our own reach the terminal.
    static func show(_ line: String) { print(visible(line)) }

    /// Prints a JSON document, in which nothing is raw either.
    static func show(json data: Data) { print(VisibleText.document(String(decoding: data, as: UTF8.self))) }

    static func visible(_ line: String) -> String {
        let pieces = line.components(separatedBy: mark)
        return VisibleText.escaped(pieces[0])
            + pieces.dropFirst().map { piece in
                let code = piece.prefix { $0 != "m" }
                return "\u{1B}[\(code)m" + VisibleText.escaped(String(piece.dropFirst(code.count + 1)))
            }.joined()
    }

    /// Begins a style.
    ///
    /// Nothing from outside can hold it, for it is drawn anew in every process.
    private static let mark = "\u{E000}\(UInt64.random(in: 0...UInt64.max))."

    private static func styled(_ text: String, _ code: String) -> String { "\(mark)\(code)m\(text)\(mark)0m" }

    /// Says something beside the answer, where scripts that read the answer do not see it.
    static func complain(_ text: String) {
        do {
            try FileHandle.standardError.write(contentsOf: Data("turnstile: \(VisibleText.escaped(text))\n".utf8))
        } catch {
            // Nobody is left to tell: the place for telling is what failed.
            return
        }
    }

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

extension Int {
    /// So many of a thing, as people say it: `1 letter`, `2 letters`.
    func of(_ noun: String) -> String { self == 1 ? "1 \(noun)" : "\(self) \(noun)s" }
}

extension String {
    func shortened(to length: Int) -> String { count <= length ? self : prefix(length - 1) + "…" }
}
