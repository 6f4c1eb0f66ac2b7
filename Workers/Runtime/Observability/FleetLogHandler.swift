import Contracts
import Foundation
import Logging
import Synchronization

/// Writes one line per fact to standard error: JSON for machines, text for people.
package struct FleetLogHandler: LogHandler {
    package enum Format: String, Sendable, CaseIterable { case json, text }

    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let label: String
    private let format: Format

    package init(label: String, level: Logger.Level, format: Format) {
        self.label = label
        self.logLevel = level
        self.format = format
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

    private func json(_ time: String, _ event: LogEvent, _ facts: [(key: String, value: Logger.MetadataValue)])
        -> String
    {
        let head = [("at", time), ("level", event.level.rawValue), ("process", label), ("message", "\(event.message)")]
        let fields = (head + facts.map { ($0.key, "\($0.value)") }).map { "\(Self.quoted($0)):\(Self.quoted($1))" }
        return "{\(fields.joined(separator: ","))}"
    }

    private func text(_ time: String, _ event: LogEvent, _ facts: [(key: String, value: Logger.MetadataValue)])
        -> String
    {
        let tail = facts.map { " \($0.key)=\($0.value)" }.joined()
        return "\(time) \(event.level.rawValue) \(label): \(event.message)\(tail)"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case _ where scalar.value < 0x20: quoted += " "
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static let output = Mutex(())

    private func write(_ line: String) {
        Self.output.withLock { _ in
            do {
                try FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
            } catch {
                // Nobody is left to tell: the place for telling is what failed.
                return
            }
        }
    }
}
