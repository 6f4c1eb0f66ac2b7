import Contracts
import Logging
import RabbitMQ
import Topology

/// Puts the fleet's exchanges, queues and bindings on a broker, once, ahead of the processes that need them.
package struct TopologyKeeper: Sendable {
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
                try await administrator.declareQueue(
                    queue.name, arguments: FieldTable(queue.arguments.map { ($0.key, $0.value.header) }))
            }
            for binding in Declarations.bindings {
                try await administrator.bindQueue(
                    binding.queue, to: binding.exchange.rawValue, routingKey: binding.routingKey)
            }
        }
    }

    /// What is missing, a line each; changes nothing.
    package func missing() async throws -> [String] {
        try await administrator.lent { administrator in
            try await administrator.open()
            var missing: [String] = []
            for exchange in Exchange.allCases {
                let complaint = try await complaint {
                    try await administrator.checkExchange(exchange.rawValue, kind: exchange.type)
                }
                if let complaint { missing.append("exchange \(exchange.rawValue): \(complaint)") }
            }
            for queue in Declarations.queues {
                let complaint = try await complaint { _ = try await administrator.checkQueue(queue.name) }
                if let complaint { missing.append("queue \(queue.name): \(complaint)") }
            }
            return missing
        }
    }

    /// What the broker says against it, unless the broker itself is in trouble.
    private func complaint(_ check: () async throws -> Void) async throws -> String? {
        do {
            try await check()
            return nil
        } catch let error as BrokerError {
            guard !error.isTransient else { throw error }
            return error.detail
        }
    }
}

extension QueueDeclaration.Argument {
    fileprivate var header: HeaderValue {
        switch self {
        case .text(let text): .string(text)
        case .number(let number): .integer(number)
        }
    }
}
