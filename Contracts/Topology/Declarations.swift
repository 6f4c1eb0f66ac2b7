import Contracts

/// One queue as the broker must hold it: quorum, durable, with these arguments.
package struct QueueDeclaration: Sendable, Equatable {
    package enum Argument: Sendable, Equatable {
        case text(String)
        case number(Int64)
    }

    package let name: String
    package let arguments: [String: Argument]
}

/// One binding of a queue to an exchange.
package struct Binding: Sendable, Equatable {
    package let exchange: Exchange
    package let routingKey: String
    package let queue: String

    package init(exchange: Exchange, routingKey: String, queue: String) {
        self.exchange = exchange
        self.routingKey = routingKey
        self.queue = queue
    }
}

/// Everything that must exist on the broker before the fleet can work.
package enum Declarations {
    package static let queues: [QueueDeclaration] = Queue.all.flatMap { queue in
        [working(queue), deadLetters(of: queue)] + RetryTier.allCases.map { retries(of: queue, after: $0) }
    }

    package static let bindings: [Binding] =
        FleetRole.allCases.map { role in
            Binding(exchange: .commands, routingKey: role.rawValue, queue: Queue.commands(of: role).name)
        } + Queue.all.map { Binding(exchange: .dead, routingKey: $0.name, queue: $0.dead) } + [
            Binding(
                exchange: .replies, routingKey: FleetRole.orchestrator.rawValue,
                queue: Queue.orchestratorReplies.name),
            Binding(
                exchange: .events, routingKey: MessageKind.eventPublished.subject,
                queue: Queue.commands(of: .recommendation).name),
        ]

    private static func working(_ queue: Queue) -> QueueDeclaration {
        QueueDeclaration(
            name: queue.name,
            arguments: [
                "x-queue-type": .text("quorum"),
                "x-dead-letter-exchange": .text(Exchange.dead.rawValue),
                "x-dead-letter-routing-key": .text(queue.name),
            ])
    }

    private static func deadLetters(of queue: Queue) -> QueueDeclaration {
        QueueDeclaration(name: queue.dead, arguments: ["x-queue-type": .text("quorum")])
    }

    /// After its pause a message goes back through the default exchange to the queue it came from.
    private static func retries(of queue: Queue, after tier: RetryTier) -> QueueDeclaration {
        QueueDeclaration(
            name: queue.retry(tier),
            arguments: [
                "x-queue-type": .text("quorum"),
                "x-message-ttl": .number(tier.pause.components.seconds * 1_000),
                "x-dead-letter-exchange": .text(""),
                "x-dead-letter-routing-key": .text(queue.name),
            ])
    }
}
