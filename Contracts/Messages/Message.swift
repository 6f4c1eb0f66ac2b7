import FoundationEssentials
import WireJSON

/// A payload with a place on the wire.
package protocol Message: Codable, Sendable, Equatable {
    static var kind: MessageKind { get }
}

/// A message with its metadata; on the wire the body is the payload alone and the rest travels as AMQP properties.
package struct Envelope: Sendable, Equatable {
    package var id: MessageID
    package var kind: MessageKind
    package var sagaID: SagaID?
    /// The saga's version when the command was sent; replies echo it.
    package var step: Int?
    package var causationID: MessageID?
    package var occurredAt: Date
    package var traceparent: String?
    /// Counts from 1; raised by each retry tier.
    package var attempt: Int
    package var replyTo: String?
    /// The correlation id as the publisher wrote it; for our own messages it is the saga's id.
    package var correlationID: String?
    /// The key of the record of requests, of a message from outside: the id that its sender chose, with its origin.
    package var requestKey: String?
    package var body: Data

    package init(
        id: MessageID, kind: MessageKind, sagaID: SagaID? = nil, step: Int? = nil, causationID: MessageID? = nil,
        occurredAt: Date, traceparent: String? = nil, attempt: Int = 1, replyTo: String? = nil,
        correlationID: String? = nil, requestKey: String? = nil, body: Data
    ) {
        self.id = id
        self.kind = kind
        self.sagaID = sagaID
        self.step = step
        self.causationID = causationID
        self.occurredAt = occurredAt
        self.traceparent = traceparent
        self.attempt = attempt
        self.replyTo = replyTo
        self.correlationID = correlationID
        self.requestKey = requestKey
        self.body = body
    }

    package init<Payload: Message>(
        id: MessageID, _ payload: Payload, sagaID: SagaID?, step: Int?, causationID: MessageID?, occurredAt: Date,
        traceparent: String? = nil
    ) throws {
        self.init(
            id: id, kind: Payload.kind, sagaID: sagaID, step: step, causationID: causationID, occurredAt: occurredAt,
            traceparent: traceparent, body: try WireFormat.encode(payload))
    }

    /// Reads the body as the payload its kind names.
    package func decode<Payload: Message>(_ type: Payload.Type) throws -> Payload {
        try WireFormat.decode(type, from: body)
    }
}

/// Where a message goes.
package enum Destination: Sendable, Equatable {
    /// To the queue of the command's owner; an event, to the one worker that must know of it.
    case owner
    /// To the orchestrator, as a reply.
    case orchestrator
    /// To whoever has bound a queue to the events.
    case listeners
    /// To a queue an upstream system named in `reply_to`; it may be gone, and then nobody waits for it.
    case upstream(queue: String)
}

/// A message on its way out.
package struct OutgoingMessage: Sendable, Equatable {
    package var destination: Destination
    package var envelope: Envelope

    package init(_ envelope: Envelope, to destination: Destination) {
        self.envelope = envelope
        self.destination = destination
    }
}
