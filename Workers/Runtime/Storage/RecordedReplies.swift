import Contracts
import FoundationEssentials

/// The text form of messages that must be sent again exactly as they were sent first.
package enum RecordedReplies {
    private struct Reply: Codable {
        let to: Destination
        let id: MessageID
        let kind: MessageKind
        let saga: SagaID?
        let step: Int?
        let cause: MessageID?
        let at: Date
        let trace: String?
        let correlation: String?
        let body: String
    }

    package static func encode(_ messages: [OutgoingMessage]) throws -> String {
        guard !messages.isEmpty else { return "[]" }
        let replies = messages.map { message in
            let envelope = message.envelope
            return Reply(
                to: message.destination, id: envelope.id, kind: envelope.kind, saga: envelope.sagaID,
                step: envelope.step, cause: envelope.causationID, at: envelope.occurredAt,
                trace: envelope.traceparent, correlation: envelope.correlationID,
                body: String(decoding: envelope.body, as: UTF8.self))
        }
        return String(decoding: try WireFormat.encode(replies), as: UTF8.self)
    }

    package static func decode(_ text: String) throws -> [OutgoingMessage] {
        guard text != "[]" else { return [] }
        return try WireFormat.decode([Reply].self, from: Data(text.utf8)).map { reply in
            OutgoingMessage(
                Envelope(
                    id: reply.id, kind: reply.kind, sagaID: reply.saga, step: reply.step, causationID: reply.cause,
                    occurredAt: reply.at, traceparent: reply.trace, correlationID: reply.correlation,
                    body: Data(reply.body.utf8)),
                to: reply.to)
        }
    }
}
