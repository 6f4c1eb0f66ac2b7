import Contracts
import FoundationEssentials
import RabbitMQ
import Topology
import WireJSON

/// One delivery after reading its metadata: either a message of ours, or something to deadLetter with its reason.
enum DecodedDelivery: Sendable {
    case readable(Envelope)
    case unreadable(reason: String)

    init(_ delivery: Delivery) {
        do throws(Illegible) {
            self = .readable(try DecodedDelivery.read(delivery))
        } catch {
            self = .unreadable(reason: error.reason)
        }
    }

    /// The last second of the year 9999: the wire's time may count to 64 bits, and no calendar does.
    private static let latestTime: UInt64 = 253_402_300_799

    struct Illegible: Error {
        let reason: String
    }

    private static func read(_ delivery: Delivery) throws(Illegible) -> Envelope {
        let properties = delivery.properties
        guard delivery.sizeWhenSent <= Limits.messageBytes else {
            throw Illegible(reason: DeadLetterReason.tooLarge(delivery))
        }
        if let flaw = properties.flaw { throw Illegible(reason: "invalid-property: \(flaw)") }
        if let encoding = properties.headers.text(.contentEncoding), !encoding.isEmpty,
            encoding.lowercased() != "identity"
        {
            throw Illegible(
                reason:
                    "unsupported-content-encoding: \(encoding.prefix(Limits.identifierLength)); send the body as it is")
        }
        guard let chosen = properties.idOrHeader.flatMap({ MessageID(wire: $0) }) else {
            throw Illegible(reason: "missing-message-id: the property message_id is required")
        }
        guard let type = properties.typeOrHeader else {
            throw Illegible(reason: "missing-type: the property type must name the kind of the message")
        }
        guard let kind = MessageKind(rawValue: type) else {
            throw Illegible(reason: "unknown-kind: \(type.prefix(Limits.identifierLength))")
        }
        if let contentType = properties.contentType, !MediaType.mayBeJSON(contentType) {
            throw Illegible(reason: "unsupported-content-type: \(contentType.prefix(Limits.identifierLength))")
        }
        guard delivery.body.isUTF8 else { throw Illegible(reason: DeadLetterReason.malformedBody("not UTF-8")) }
        return Envelope(
            id: kind.isFromOutside ? .foreign(chosen, from: origin) : chosen, kind: kind,
            sagaID: properties.correlationOrHeader.flatMap { SagaID($0) },
            step: properties.headers.integer(.step),
            causationID: properties.headers.text(.causation).flatMap { MessageID($0) },
            occurredAt: Date(timeIntervalSince1970: Double(min(properties.timestamp ?? 0, Self.latestTime))),
            traceparent: properties.headers.text(.traceparent).flatMap(TraceContext.valid),
            attempt: max(1, properties.headers.integer(.attempt) ?? 1),
            replyTo: properties.answerQueue, correlationID: properties.knownBy,
            requestKey: kind.isFromOutside ? "\(origin):\(chosen)" : nil, body: delivery.body)
    }

    /// What tells ids that were chosen on this broker from those chosen elsewhere.
    private static let origin = "amqp"
}

/// The headers that the fleet writes and reads.
package enum Header: String, Sendable {
    case step
    case causation = "causation-id"
    case traceparent
    case attempt
    case messageID = "message-id"
    case type
    case correlation = "correlation-id"
    /// The property of this name comes as a header too.
    case contentEncoding = "content-encoding"
    case buriedBecause = "buried-because"
    case buriedFrom = "buried-from"
    case firstSeen = "first-seen"
    /// How large the body was, on a dead letter that goes on without it.
    case cutBodySize = "cut-body-size"
    case userID = "user-id"
    case expiration
}

/// Publishers whose tool sets no properties may put headers of the same names in their place.
extension Properties {
    package var idOrHeader: String? { messageID ?? headers.property(.messageID) }
    fileprivate var typeOrHeader: String? { type ?? headers.property(.type) }
    fileprivate var correlationOrHeader: String? { correlationID ?? headers.property(.correlation) }

    /// The same, with such headers as the properties that they stand for.
    var namedByHeaders: Properties {
        var properties = self
        properties.messageID = idOrHeader
        properties.type = typeOrHeader
        properties.correlationID = correlationOrHeader
        return properties
    }

    /// The same, with what only its own publisher may write as headers.
    var keepingTheSender: Properties {
        var properties = self
        if let userID { properties.headers[Header.userID.rawValue] = .string(userID) }
        if let expiration { properties.headers[Header.expiration.rawValue] = .string(expiration) }
        return properties
    }

    /// What the publisher knows the message by; who asks for answers without saying more knows the id it gave.
    package var knownBy: String? {
        correlationOrHeader ?? (answerQueue == nil ? nil : idOrHeader)
    }

    /// The queue that the publisher wants its answers in; nil when there is none, or its name cannot be read.
    package var answerQueue: String? {
        guard let replyTo, (1...Limits.replyToLength).contains(replyTo.utf8.count), TextRule.permits(replyTo),
            !illegible.contains("reply_to")
        else { return nil }
        return replyTo
    }
}

extension Properties {
    /// What is wrong with the texts that the fleet keeps or sends on: ids would fold into one another, and a forbidden
    /// character would trip whoever reads them later.
    fileprivate var flaw: String? {
        flaw("message_id", .messageID, idOrHeader) ?? flaw("correlation_id", .correlation, correlationOrHeader)
            ?? flaw("reply_to", nil, replyTo)
    }

    private func flaw(_ name: String, _ header: Header?, _ text: String?) -> String? {
        guard let text else { return nil }
        if illegible.contains(where: { $0 == name || $0 == header?.rawValue }) {
            return "\(name) is not UTF-8: \"\(text)\""
        }
        return TextRule.permits(text) ? nil : "\(name) \(TextRule.demand): \"\(text)\""
    }
}

extension Delivery {
    /// The bytes that the body had when it was first sent: a dead letter may have gone on without it.
    package var sizeWhenSent: Int { max(bodySize, properties.headers.integer(.cutBodySize) ?? 0) }

    /// Whether the body is missing, because this or an earlier reader left it out.
    var isWithoutBody: Bool { body.count < sizeWhenSent }
}

extension FieldTable {
    package func integer(_ header: Header) -> Int? {
        guard case .integer(let value) = self[header.rawValue] else { return nil }
        return Int(value)
    }

    /// A header that could be a property: those are no longer than 255 bytes.
    fileprivate func property(_ header: Header) -> String? {
        text(header).flatMap { $0.utf8.count <= 255 ? $0 : nil }
    }

    package func text(_ header: Header) -> String? {
        guard case .string(let value) = self[header.rawValue] else { return nil }
        return value
    }
}

extension Data {
    fileprivate var isUTF8: Bool {
        do {
            _ = try UTF8Span(validating: span)
            return true
        } catch {
            return false
        }
    }
}
