import struct FoundationEssentials.Data

/// One header's value, as far as the program can use it.
package enum HeaderValue: Sendable, Equatable {
    case string(String)
    case integer(Int64)
    case boolean(Bool)
    case timestamp(UInt64)
    case double(Double)
    /// A kind that is only recognised, by its name (`table`, `array`, …); it is left out when published.
    case other(String)
}

/// What a message says about itself beside its body.
package struct Properties: Sendable, Equatable {
    package var messageID: String?
    package var correlationID: String?
    package var type: String?
    package var replyTo: String?
    package var applicationID: String?
    package var contentType: String?
    /// Seconds since 1970.
    package var timestamp: UInt64?
    /// The account that the broker vouches for; it is read only, for nobody may publish under another's.
    package var userID: String?
    package var contentEncoding: String?
    /// After how many milliseconds the publisher wanted it dropped; it is read only.
    package var expiration: String?
    package var priority: UInt8?
    package var isPersistent: Bool
    package var headers: FieldTable
    /// The AMQP names of the properties, and the names of the headers, whose bytes were no UTF-8.
    ///
    /// Their text shows each
    /// such byte as `\xNN`, so that different bytes stay different; it is not what the publisher wrote.
    package internal(set) var illegible: [String] = []

    package init(
        messageID: String? = nil, correlationID: String? = nil, type: String? = nil, replyTo: String? = nil,
        applicationID: String? = nil, contentType: String? = nil, timestamp: UInt64? = nil,
        isPersistent: Bool = true, headers: FieldTable = [:]
    ) {
        self.messageID = messageID
        self.correlationID = correlationID
        self.type = type
        self.replyTo = replyTo
        self.applicationID = applicationID
        self.contentType = contentType
        self.timestamp = timestamp
        self.isPersistent = isPersistent
        self.headers = headers
    }
}

/// A message on its way to the broker.
package struct Publication: Sendable, Equatable {
    package var exchange: String
    package var routingKey: String
    /// Whether the broker must return the message when no queue takes it; otherwise it is dropped and confirmed.
    package var isMandatory: Bool
    package var properties: Properties
    package var body: Data

    package init(exchange: String, routingKey: String, isMandatory: Bool, properties: Properties, body: Data) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.isMandatory = isMandatory
        self.properties = properties
        self.body = body
    }
}

/// A message from the broker, to be acknowledged or rejected by its tag.
package struct Delivery: Sendable, Equatable {
    /// Names the delivery within the actor that took it, and is void after that actor's next `open`.
    package internal(set) var tag: UInt64
    package let isRedelivered: Bool
    package let exchange: String
    package let routingKey: String
    package let properties: Properties
    /// Empty where the body was larger than the connection keeps.
    package let body: Data
    /// How many bytes the body had on the wire.
    package let bodySize: Int

    /// - Parameter bodySize: nil where the body is whole.
    package init(
        tag: UInt64, isRedelivered: Bool, exchange: String, routingKey: String, properties: Properties, body: Data,
        bodySize: Int? = nil
    ) {
        self.tag = tag
        self.isRedelivered = isRedelivered
        self.exchange = exchange
        self.routingKey = routingKey
        self.properties = properties
        self.body = body
        self.bodySize = bodySize ?? body.count
    }

    /// Whether the body was too large to be kept, and only the message's head is here.
    package var isCut: Bool { body.count < bodySize }
}

/// One publication of a batch that no queue has taken.
package struct Refusal: Sendable, Equatable {
    package enum Reason: Sendable, Equatable {
        /// No queue is bound for it (312), or it cannot be written as AMQP and was never sent (311).
        case returned(code: UInt16, text: String)
        /// A queue refused it: it is full, or its leader is gone.
        case nacked
        /// The broker had not answered when its time was up; the message may be in its queues or come there yet.
        case unanswered
    }

    /// The position in the published batch.
    package let index: Int
    package let reason: Reason

    package init(index: Int, reason: Reason) {
        self.index = index
        self.reason = reason
    }
}
