import CRabbitMQ

extension Publication {
    /// The frame size that brokers agree to when they are asked for none.
    private static let usualFrame = 131_072

    /// Whether the message can be sent at all.
    package var isWritable: Bool { flaw(frameLimit: Self.usualFrame) == nil }

    package static func isWritable(headerName: String) -> Bool { headerName.utf8.count <= 128 }

    /// Why the publication cannot be written as AMQP, or nil.
    ///
    /// The library would cut long names off, or send half a message and then fail.
    func flaw(frameLimit: Int) -> String? {
        var size = 0
        var longName: String?
        func add(_ text: String?, _ name: String) {
            guard let count = text?.utf8.count else { return }
            size += count
            if count > 255 { longName = name }
        }
        add(exchange, "exchange")
        add(routingKey, "routing key")
        add(properties.messageID, "message id")
        add(properties.correlationID, "correlation id")
        add(properties.type, "type")
        add(properties.replyTo, "reply-to")
        add(properties.applicationID, "application id")
        add(properties.contentType, "content type")
        add(properties.contentEncoding, "content encoding")
        if let longName { return "the \(longName) is longer than 255 bytes" }
        for (key, value) in properties.headers {
            guard Self.isWritable(headerName: key) else { return "a header's name is longer than 128 bytes" }
            size += key.utf8.count + Self.entrySize
            if case .string(let text) = value { size += text.utf8.count }
        }
        return size + Self.slack <= frameLimit ? nil : "the headers do not fit in one frame of \(frameLimit) bytes"
    }

    /// At least what a header takes beside its text, on the wire and in the arena.
    private static var entrySize: Int { unsafe MemoryLayout<amqp_table_entry_t>.stride }

    /// At least what frames, fixed properties and alignment take.
    private static var slack: Int { 256 }
}

extension HeaderValue {
    package var isWritable: Bool {
        if case .other = self { false } else { true }
    }
}

extension Refusal.Reason {
    /// Whether the message was never sent because AMQP has no form for it: trying again cannot help.
    package var isForEver: Bool {
        switch self {
        case .returned(let code, _): code == 311
        case .nacked, .unanswered: false
        }
    }
}
