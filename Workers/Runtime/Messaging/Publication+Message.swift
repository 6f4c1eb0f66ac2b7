import Contracts
import FoundationEssentials
import RabbitMQ
import Topology
import WireJSON

extension Publication {
    /// Writes a message's metadata as AMQP properties; the body is the payload alone.
    ///
    /// Each message is a span of its own in the trace that led to it, named by its id: a repeat is the same span.
    package init(_ message: OutgoingMessage, from application: String) {
        let envelope = message.envelope
        let route = Route(of: message)
        var properties = Properties()
        let id = envelope.id.description
        properties.messageID = id
        properties.type = envelope.kind.rawValue
        properties.correlationID = envelope.correlationID ?? envelope.sagaID?.description
        properties.contentType = "application/json"
        properties.applicationID = application
        properties.timestamp = UInt64(min(max(0, envelope.occurredAt.timeIntervalSince1970), 253_402_300_799))
        if let step = envelope.step { properties.headers[Header.step.rawValue] = .integer(Int64(step)) }
        if let cause = envelope.causationID { properties.headers[Header.causation.rawValue] = .string("\(cause)") }
        if let cause = envelope.traceparent {
            let trace = TraceContext.child(of: cause, span: id)
            properties.headers[Header.traceparent.rawValue] = .string(trace)
        }
        self.init(
            exchange: route.exchange, routingKey: route.routingKey, isMandatory: route.isMandatory,
            properties: properties, body: envelope.body)
    }

    /// The same message on its way to a pause, after which its queue gets it again as the next attempt.
    init(retrying delivery: Delivery, of queue: Queue, attempt: Int, after pause: Duration) {
        var properties = delivery.properties
        properties.headers[Header.attempt.rawValue] = .integer(Int64(attempt + 1))
        self.init(
            delivery, properties, along: .retry(of: queue, in: .waiting(atLeast: pause)))
    }

    /// The same message on its way to the dead letters, with the reason; one that was cut goes on as its head alone.
    init(burying delivery: Delivery, of queue: Queue, because reason: String, attempt: Int, at now: Date) {
        var properties = delivery.properties.namedByHeaders.shortened
        let reason = VisibleText.escaped(reason)
        properties.headers[Header.buriedBecause.rawValue] = .string(String(reason.prefix(1_000)))
        properties.headers[Header.buriedFrom.rawValue] = .string(queue.name)
        properties.headers[Header.attempt.rawValue] = .integer(Int64(attempt))
        if properties.headers[Header.firstSeen.rawValue] == nil {
            properties.headers[Header.firstSeen.rawValue] = .string(WireFormat.text(of: now))
        }
        if delivery.isCut { properties.headers[Header.cutBodySize.rawValue] = .integer(Int64(delivery.sizeWhenSent)) }
        self.init(delivery, properties, along: .burial(from: queue))
    }

    /// Headers that cannot be written again stay behind; where even the rest is too much, all but the fleet's own.
    private init(_ delivery: Delivery, _ properties: Properties, along route: Route) {
        var properties = properties.keepingTheSender
        properties.isPersistent = true
        self.init(
            exchange: route.exchange, routingKey: route.routingKey, isMandatory: route.isMandatory,
            properties: properties, body: delivery.body)
        self.properties.headers = properties.headers.filter { $1.isWritable && Self.isWritable(headerName: $0) }
        if !isWritable {
            self.properties.headers = self.properties.headers.filter { name, _ in Header(rawValue: name) != nil }
        }
    }
}

extension Properties {
    /// AMQP's limit for a property, in bytes.
    private static let limit = 255

    /// The same, with properties that can be written again: where escapes made one too long it is cut off, and the whole
    /// stands in a header of its name.
    fileprivate var shortened: Properties {
        let texts: [(name: String, property: WritableKeyPath<Properties, String?>)] = [
            ("message-id", \.messageID), ("correlation-id", \.correlationID), ("type", \.type),
            ("reply-to", \.replyTo), ("app-id", \.applicationID), ("content-type", \.contentType),
            ("content-encoding", \.contentEncoding),
        ]
        var properties = self
        for (name, property) in texts {
            guard let text = self[keyPath: property], text.utf8.count > Self.limit else { continue }
            properties[keyPath: property] = text.cut(toBytes: Self.limit)
            properties.headers["whole-\(name)"] = .string(text)
        }
        return properties
    }
}

extension String {
    /// As many whole code points as fit.
    fileprivate func cut(toBytes limit: Int) -> String {
        var bytes = 0
        return String(
            String.UnicodeScalarView(
                unicodeScalars.prefix { scalar in
                    bytes += UTF8.width(scalar)
                    return bytes <= limit
                }))
    }
}
