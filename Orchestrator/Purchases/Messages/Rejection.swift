import Connections
import Contracts
import FleetRuntime
import FoundationEssentials
import RabbitMQ
import WireJSON

/// What an upstream system is told of a command that is not carried out.
package enum Rejection {
    /// Nil when it named no queue for answers.
    static func answer(to envelope: Envelope, _ problem: Problem) throws -> OutgoingMessage? {
        guard let queue = envelope.replyTo else { return nil }
        return try answer(
            to: queue, knownAs: envelope.correlationID ?? envelope.id.description, of: envelope.id, problem,
            traceparent: envelope.traceparent)
    }

    /// The same of a message that could not be read, as far as its properties say who sent it.
    package static func answer(to delivery: Delivery, because reason: String) throws -> OutgoingMessage? {
        let properties = delivery.properties
        guard let queue = properties.answerQueue else { return nil }
        return try answer(
            to: queue, knownAs: properties.knownBy.flatMap { TextRule.permits($0) ? $0 : nil },
            of: id(of: delivery, answeredTo: queue), problem(in: reason),
            traceparent: nil)
    }

    private static func answer(
        to queue: String, knownAs correlation: String?, of command: MessageID, _ problem: Problem, traceparent: String?
    ) throws -> OutgoingMessage {
        var answer = try Envelope(
            id: .derived(from: command.uuid, MessageKind.purchaseRejected.rawValue), PurchaseRejected(problem: problem),
            sagaID: nil, step: nil, causationID: command, occurredAt: RuntimeEnvironment.date, traceparent: traceparent)
        answer.correlationID = correlation
        return OutgoingMessage(answer, to: .upstream(queue: queue))
    }

    /// A message without an id is known by what it says, so that its repeat has the same answer.
    private static func id(of delivery: Delivery, answeredTo queue: String) -> MessageID {
        if let id = delivery.properties.idOrHeader.flatMap({ MessageID(wire: $0) }) { return id }
        let head = delivery.body.prefix(4_096).base64EncodedString()
        let words = [queue, delivery.properties.knownBy ?? "", delivery.properties.type ?? "", head]
        return .derived(
            from: UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)), words.joined(separator: "\n"))
    }

    /// The lane's reason, a word and then the detail, as a problem.
    private static func problem(in reason: String) -> Problem {
        let parts = reason.split(separator: ":", maxSplits: 1)
        let detail = parts.count == 2 ? String(parts[1].drop { $0 == " " }) : reason
        return switch parts.first {
        case "malformed-body": Problem(.malformedBody, "the body is not well-formed JSON in UTF-8: \(detail)")
        case "too-large": Problem(.tooLarge, detail)
        case "unsupported-content-type": Problem(.unsupportedMediaType, "the content type must be JSON, not \(detail)")
        case "unsupported-content-encoding":
            Problem(.unsupportedMediaType, "no content encoding is taken, such as \(detail)")
        case "unknown-kind": Problem(.invalid, "the property type names no kind of message: \(detail)")
        default: Problem(.invalid, detail)
        }
    }
}
