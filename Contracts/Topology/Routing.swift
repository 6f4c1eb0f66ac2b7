import Contracts

/// The exchange and key that take a message to its destination, and whether losing it on the way is a failure.
package struct Route: Sendable, Equatable {
    package let exchange: String
    package let routingKey: String
    /// A mandatory message that reaches no queue comes back; an event without listeners may vanish.
    package let isMandatory: Bool

    package init(of message: OutgoingMessage) {
        switch message.destination {
        case .owner:
            self.init(
                .commands, (message.envelope.kind.owner ?? message.envelope.kind.learner)?.rawValue ?? "",
                isMandatory: true)
        case .orchestrator:
            self.init(.replies, FleetRole.orchestrator.rawValue, isMandatory: true)
        case .listeners:
            self.init(.events, message.envelope.kind.subject, isMandatory: false)
        case .upstream(let queue):
            self.init(exchange: "", routingKey: queue, isMandatory: true)
        }
    }

    /// The way back to `queue` after a pause.
    package static func retry(of queue: Queue, in tier: RetryTier) -> Route {
        Route(exchange: "", routingKey: queue.retry(tier), isMandatory: true)
    }

    /// The way to the dead letters of `queue`.
    package static func burial(from queue: Queue) -> Route {
        Route(.dead, queue.name, isMandatory: true)
    }

    private init(_ exchange: Exchange, _ routingKey: String, isMandatory: Bool) {
        self.init(exchange: exchange.rawValue, routingKey: routingKey, isMandatory: isMandatory)
    }

    private init(exchange: String, routingKey: String, isMandatory: Bool) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.isMandatory = isMandatory
    }
}
