import Contracts
import FleetRuntime
import Foundation
import Logging
import Synchronization
import WireJSON

/// Writes one line per fact to standard error: JSON for machines, text for people.
///
/// Facts are ids, counts, times, and errors in their own words; what looks like a secret or an e-mail address is
/// taken out of them, and what a terminal would obey is escaped.
package struct FleetLogHandler: LogHandler {
    package enum Format: String, Sendable, CaseIterable {
        case json, text

        /// What suits whoever reads standard error: people at a terminal, else machines.
        package static var suitable: Format { isatty(STDERR_FILENO) == 1 ? .text : .json }
    }

    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let label: String
    private let format: Format
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes a line without its end; standard error unless somebody else wants it.
    package init(
        label: String, level: Logger.Level, format: Format,
        write: @escaping @Sendable (String) -> Void = Self.writeToStandardError
    ) {
        self.label = label
        self.logLevel = level
        self.format = format
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let facts = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let time = WireFormat.text(of: Date())
        switch format {
        case .json: write(json(time, event, facts))
        case .text: write(text(time, event, facts))
        }
    }

    /// The keys of the line itself, which no fact may take.
    private static let reserved: Set<String> = ["at", "level", "process", "message"]

    private func json(_ time: String, _ event: LogEvent, _ facts: [(key: String, value: Logger.MetadataValue)])
        -> String
    {
        let head = [("at", time), ("level", event.level.rawValue), ("process", label), ("message", "\(event.message)")]
        let tail = facts.map { (Self.reserved.contains($0.key) ? "\($0.key)Fact" : $0.key, "\($0.value)") }
        let fields = (head + tail).map { "\(Self.quoted($0)):\(Self.quoted(Redaction.redact($1)))" }
        return "{\(fields.joined(separator: ","))}"
    }

    private func text(_ time: String, _ event: LogEvent, _ facts: [(key: String, value: Logger.MetadataValue)])
        -> String
    {
        let tail = facts.map { " \($0.key)=\(Self.word(Redaction.redact("\($0.value)")))" }.joined()
        let message = VisibleText.escaped(Redaction.redact("\(event.message)"))
        return "\(time) \(event.level.rawValue) \(label): \(message)\(tail)"
    }

    /// Quoted unless it is one plain word, so that a value can neither end the line nor look like another fact.
    private static func word(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0 != "\"" && $0 != "=" }
        return isPlain ? VisibleText.escaped(text) : "\"\(VisibleText.escaped(quotable(text)))\""
    }

    private static func quoted(_ text: String) -> String { "\"\(VisibleText.escapedForJSON(quotable(text)))\"" }

    private static func quotable(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "\"") }) else { return text }
        return text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }

    private static let output = Mutex(())

    package static func writeToStandardError(_ line: String) {
        output.withLock { _ in
            do {
                try FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
            } catch {
                // Nobody is left to tell: the place for telling is what failed.
                return
            }
        }
    }
}
