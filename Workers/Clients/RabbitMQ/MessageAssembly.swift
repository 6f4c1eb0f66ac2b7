import struct FoundationEssentials.Data

/// Puts method, header and body frames together into messages, and passes the other frames on as events.
///
/// Of a body larger than the limit nothing is kept: its frames are counted and dropped, and the message is its head.
struct MessageAssembly {
    /// No broker takes a larger message: RabbitMQ's `max_message_size` ends here.
    private static let largestBody: UInt64 = 512 * 1024 * 1024

    private enum Opening {
        case delivery(tag: UInt64, isRedelivered: Bool)
        case returned(code: UInt16, text: String)
    }

    private struct Partial {
        let opening: Opening
        let route: Route
        let properties: Properties
        let bodySize: Int
        /// How much of the body has come, whether it is kept or not.
        var received = 0
        var body = Data()

        mutating func keep(_ fragment: Data) {
            if body.isEmpty { body = fragment } else { body.append(fragment) }
        }
    }

    private enum Stage {
        case idle
        case awaitingHeader(Opening, Route)
        case awaitingBody(Partial)
    }

    private let bodyLimit: Int
    private var stage = Stage.idle
    private var lastTag: UInt64 = 0

    /// - Parameter bodyLimit: the most bytes that are kept of a body.
    init(keeping bodyLimit: Int) {
        self.bodyLimit = bodyLimit
    }

    /// Forgets the old channel: the tags of a new one begin anew.
    mutating func beginChannel() {
        stage = .idle
        lastTag = 0
    }

    /// Takes the next frame in order; what it completes, if anything, is the answer.
    mutating func accept(_ frame: consuming Frame) throws(BrokerError) -> BrokerEvent? {
        switch frame {
        case .deliver(let tag, let isRedelivered, let route):
            try begin(.delivery(tag: tag, isRedelivered: isRedelivered), route)
        case .returned(let code, let text, let route):
            try begin(.returned(code: code, text: text), route)
        case .header(let bodySize, let properties):
            return try continueWithHeader(bodySize, properties)
        case .body(let fragment):
            return try continueWithBody(fragment)
        case .acknowledged(let tag, let isMultiple):
            return .settled(tag: tag, isMultiple: isMultiple, isAccepted: true)
        case .refused(let tag, let isMultiple):
            return .settled(tag: tag, isMultiple: isMultiple, isAccepted: false)
        case .consumerCancelled: return .consumerCancelled
        case .blocked(let reason): return .blocked(reason: reason)
        case .unblocked: return .unblocked
        case .channelClosed(let code, let text):
            return .channelClosed(BrokerError(replyCode: code, text: text, during: "using the channel"))
        case .connectionClosed(let code, let text):
            return .connectionClosed(BrokerError(replyCode: code, text: text, during: "using the connection"))
        case .unexpected(let method):
            throw violation("unexpected method \(method >> 16).\(method & 0xffff)")
        }
        return nil
    }

    private mutating func begin(_ opening: Opening, _ route: Route) throws(BrokerError) {
        guard case .idle = stage else { throw violation("a message begins inside another") }
        if case .delivery(let tag, _) = opening {
            guard tag > lastTag, tag <= DeliveryLedger.highestTag else {
                throw violation("delivery tag \(tag) follows \(lastTag)")
            }
            lastTag = tag
        }
        stage = .awaitingHeader(opening, route)
    }

    private mutating func continueWithHeader(
        _ bodySize: UInt64, _ properties: Properties
    ) throws(BrokerError) -> BrokerEvent? {
        guard case .awaitingHeader(let opening, let route) = stage else {
            throw violation("a header without its method")
        }
        guard bodySize <= Self.largestBody else { throw violation("a body of \(bodySize) bytes") }
        return finishOrWait(
            Partial(opening: opening, route: route, properties: properties, bodySize: Int(bodySize)))
    }

    private mutating func continueWithBody(_ fragment: Data) throws(BrokerError) -> BrokerEvent? {
        guard case .awaitingBody(var partial) = stage else { throw violation("a body without its header") }
        stage = .idle
        guard fragment.count <= partial.bodySize - partial.received else {
            throw violation("a body longer than announced")
        }
        partial.received += fragment.count
        if partial.bodySize <= bodyLimit { partial.keep(fragment) }
        return finishOrWait(partial)
    }

    private mutating func finishOrWait(_ partial: consuming Partial) -> BrokerEvent? {
        guard partial.received == partial.bodySize else {
            stage = .awaitingBody(partial)
            return nil
        }
        stage = .idle
        switch partial.opening {
        case .delivery(let tag, let isRedelivered):
            return .delivered(Self.delivery(partial, tag: tag, isRedelivered: isRedelivered))
        case .returned(let code, let text):
            return .returned(code: code, text: text, Self.delivery(partial, tag: 0, isRedelivered: false))
        }
    }

    private static func delivery(_ partial: Partial, tag: UInt64, isRedelivered: Bool) -> Delivery {
        Delivery(
            tag: tag, isRedelivered: isRedelivered, exchange: partial.route.exchange,
            routingKey: partial.route.routingKey, properties: partial.properties, body: partial.body,
            bodySize: partial.bodySize)
    }

    private func violation(_ detail: String) -> BrokerError {
        BrokerError(.protocolViolation, during: "reading frames", detail)
    }
}
