import Connections
import Contracts
import Logging
import RabbitMQ
import Topology

/// Puts the fleet's exchanges, queues and bindings on a broker, once, ahead of the processes that need them.
package struct TopologyDeclarer: Sendable {
    let administrator: Administrator

    package init(_ configuration: BrokerConfiguration, logger: Logger) {
        administrator = Administrator(configuration, logger: logger)
    }

    /// Declares everything; what is there already and equal stays as it is.
    /// - Throws: `preconditionFailed`, with the broker's words, where something of the name exists in another form.
    package func apply() async throws {
        try await administrator.lent { administrator in
            try await administrator.open()
            for exchange in Exchange.allCases {
                try await administrator.declareExchange(exchange.rawValue, kind: exchange.type, durable: true)
            }
            for queue in Declarations.queues {
                try await administrator.declareQueue(queue.name, arguments: queue.table)
            }
            for binding in Declarations.bindings {
                try await administrator.bindQueue(
                    binding.queue, to: binding.exchange.rawValue, routingKey: binding.routingKey)
            }
        }
    }

    /// What is missing or otherwise than declared; changes nothing.
    package func flaws() async throws -> [TopologyFlaw] {
        try await administrator.lent { administrator in
            try await administrator.open()
            var flaws = try await administrator.exchangeFlaws()
            for queue in Declarations.queues {
                if let flaw = try await administrator.examine(queue).flaw { flaws.append(flaw) }
            }
            return flaws
        }
    }
}

/// What a look at one queue found.
package struct QueueExamination {
    /// Nil for a queue that is missing.
    package var counts: (ready: Int, consumers: Int)?
    package var flaw: TopologyFlaw?
}

extension Administrator {
    package nonisolated func exchangeFlaws() async throws -> [TopologyFlaw] {
        var flaws: [TopologyFlaw] = []
        for exchange in Exchange.allCases {
            do throws(BrokerError) {
                try await checkExchange(exchange.rawValue, kind: exchange.type)
            } catch {
                flaws.append(try TopologyFlaw(.exchange, exchange.rawValue, error))
            }
        }
        return flaws
    }

    /// Asks for a queue without making it, and, if it is there, whether it is as declared.
    ///
    /// Asked passively a broker does not compare; declaring a queue that exists compares and changes nothing.
    package nonisolated func examine(_ queue: QueueDeclaration) async throws -> QueueExamination {
        var found = QueueExamination()
        do throws(BrokerError) {
            let (ready, consumers) = try await checkQueue(queue.name)
            found.counts = (ready, consumers)
            try await declareQueue(queue.name, arguments: queue.table)
        } catch {
            found.flaw = try TopologyFlaw(.queue, queue.name, error)
        }
        return found
    }
}

extension TopologyFlaw {
    /// - Throws: the error itself, where it is the connection's or the login's trouble and not the queue's.
    init(_ kind: Kind, _ name: String, _ error: BrokerError) throws {
        switch error.code {
        case .notFound: self.init(kind: kind, name: name, state: .missing, detail: "")
        case .preconditionFailed: self.init(kind: kind, name: name, state: .wrong, detail: error.detail)
        default: throw error
        }
    }
}

extension QueueDeclaration {
    var table: FieldTable { FieldTable(arguments.map { ($0.key, $0.value.header) }) }
}

extension QueueDeclaration.Argument {
    fileprivate var header: HeaderValue {
        switch self {
        case .text(let text): .string(text)
        case .number(let number): .integer(number)
        }
    }
}
