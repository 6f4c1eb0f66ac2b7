import Contracts
import FoundationEssentials

/// The text form of messages that must be sent again exactly as they were sent first.
///
/// One line of tab-separated metadata and one line of body per message, since every handled message writes this and
/// almost none is ever read; a body is compact JSON and holds no line break. The metadata is
/// `kind destination id saga step cause time trace correlation`, empty where there is none.
package enum RecordedReplies {
    package struct Unreadable: Error {
        let text: String
    }

    package static func encode(_ messages: [OutgoingMessage]) -> String {
        var text = ""
        for message in messages { append(message, to: &text) }
        return text
    }

    package static func decode(_ text: String) throws -> [OutgoingMessage] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        guard lines.count.isMultiple(of: 2) else { throw Unreadable(text: text) }
        return try stride(from: 0, to: lines.count, by: 2).map { try message(lines[$0], body: lines[$0 + 1]) }
    }

    private static func append(_ message: OutgoingMessage, to text: inout String) {
        let envelope = message.envelope
        text += envelope.kind.rawValue
        text += "\t\(word(for: message.destination))\t\(envelope.id)\t"
        if let saga = envelope.sagaID { text += saga.description }
        text += "\t"
        if let step = envelope.step { text += String(step) }
        text += "\t"
        if let cause = envelope.causationID { text += cause.description }
        text += "\t\(Int64(envelope.occurredAt.timeIntervalSince1970 * 1_000))\t"
        if let trace = envelope.traceparent { text += escaped(trace) }
        text += "\t"
        if let correlation = envelope.correlationID { text += escaped(correlation) }
        text += "\n"
        text += String(decoding: envelope.body, as: UTF8.self)
        text += "\n"
    }

    private static func message(_ line: Substring, body: Substring) throws -> OutgoingMessage {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard fields.count == 9, let kind = MessageKind(rawValue: String(fields[0])),
            let destination = destination(named: fields[1]), let id = MessageID(fields[2]),
            let milliseconds = Int64(fields[6])
        else { throw Unreadable(text: String(line)) }
        return OutgoingMessage(
            Envelope(
                id: id, kind: kind, sagaID: SagaID(fields[3]), step: Int(fields[4]), causationID: MessageID(fields[5]),
                occurredAt: Date(timeIntervalSince1970: Double(milliseconds) / 1_000),
                traceparent: fields[7].isEmpty ? nil : unescaped(fields[7]),
                correlationID: fields[8].isEmpty ? nil : unescaped(fields[8]), body: Data(body.utf8)),
            to: destination)
    }

    private static func word(for destination: Destination) -> String {
        switch destination {
        case .owner: "owner"
        case .orchestrator: "orchestrator"
        case .listeners: "listeners"
        case .upstream(let queue): "upstream:" + escaped(queue)
        }
    }

    private static func destination(named word: Substring) -> Destination? {
        switch word {
        case "owner": .owner
        case "orchestrator": .orchestrator
        case "listeners": .listeners
        default: word.hasPrefix("upstream:") ? .upstream(queue: unescaped(word.dropFirst(9))) : nil
        }
    }

    /// Keeps what a publisher chose from being taken for a separator.
    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "%") }) else { return text }
        return text.replacing("%", with: "%25").replacing("\t", with: "%09").replacing("\n", with: "%0A")
    }

    private static func unescaped(_ text: Substring) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        return String(text).replacing("%0A", with: "\n").replacing("%09", with: "\t").replacing("%25", with: "%")
    }
}
