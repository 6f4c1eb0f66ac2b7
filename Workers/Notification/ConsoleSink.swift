import Contracts
import FleetRuntime
import Foundation
import Logging

/// Writes each letter as one line to standard output.
///
/// Letters that come together leave in one write. A reader that stopped reading makes letters fail after a while, but
/// never blocks the worker.
package struct ConsoleSink: NotificationSink {
    package let channel = "console"
    private let lines: Coalescer<String, Void>

    package init(writingTo file: FileHandle = .standardOutput, patience: Duration = .seconds(5)) {
        let writer = PatientWriter(file, patience: patience)
        lines = Coalescer(limit: 500) { lines in
            do {
                try await writer.write(lines.joined())
                return lines.map { _ in .success(()) }
            } catch {
                return lines.map { _ in .failure(error) }
            }
        }
    }

    package func deliver(_ letter: RenderedMessage) async throws {
        try await lines.submit(letter.line)
    }
}

extension RenderedMessage {
    /// The letter on one line, with its end.
    package var line: String {
        let facts = [
            ("letter", key.template.rawValue), ("saga", "\(key.sagaID)"), ("user", userID), ("to", recipient),
            ("subject", subject), ("text", body),
        ]
        return facts.map { "\($0)=\(Self.quoted($1))" }.joined(separator: " ") + "\n"
    }

    /// Words without spaces stay bare; all else is quoted, and what could break or turn a line is escaped.
    private static func quoted(_ text: String) -> String {
        let isWord = !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
        guard !isWord else { return text }
        let quotable = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(VisibleText.escaped(quotable))\""
    }
}
