import Connections
import Contracts
import FleetRuntime
import FoundationEssentials
import Logging
import RabbitMQ
import Topology

/// One queue as the broker sees it; what only the management API knows is nil without it.
package struct QueueReading: Sendable, Codable {
    package enum Purpose: String, Sendable, Codable { case work, retry, dead }

    /// The queues that lanes consume.
    package static let workQueues = Queue.all.map(\.name)

    /// The name of the queue in which a role's commands arrive.
    package static func commands(of role: FleetRole) -> String { Queue.commands(of: role).name }

    package let name: String
    package let purpose: Purpose
    package let ready: Int
    package let consumers: Int
    package let unacked: Int?
    package let publishedPerSecond: Double?
    package let deliveredPerSecond: Double?
    /// Since the broker started to count.
    package let acknowledged: Int?
    /// How long the oldest message has been there at least; nil also for an empty queue.
    package var oldestAgeSeconds: Int?
}

extension QueueReading {
    /// What AMQP alone tells.
    init(name: String, ready: Int, consumers: Int) {
        self.init(
            name: name, purpose: .init(of: name), ready: ready, consumers: consumers, unacked: nil,
            publishedPerSecond: nil, deliveredPerSecond: nil, acknowledged: nil)
    }
}

/// Looks at the broker for the fleet: by the management API where there is one, else by AMQP alone.
package struct QueueInspector: Sendable {
    /// How long each step of a look may take: somebody waits for the screen.
    private static let patience = Duration.seconds(2)

    private let broker: BrokerConfiguration
    private let management: ManagementAPI?
    private let logger: Logger

    /// - Parameter managementURL: nil where there is no management API.
    package init(
        brokerURL: String, managementURL: String?, name: String = "turnstile orchestrator: inspection", logger: Logger
    ) throws {
        var broker = try BrokerConfiguration(url: brokerURL, connectionName: name)
        (broker.connectTimeout, broker.rpcTimeout, broker.confirmTimeout) = (Self.patience, Self.patience, .seconds(1))
        self.broker = broker
        management = managementURL.map {
            ManagementAPI(url: $0, virtualHost: broker.virtualHost, patience: Self.patience)
        }
        self.logger = logger
    }

    package func read() async throws -> BrokerReading {
        guard let management else { return try await asked() }
        do {
            return try await management.read()
        } catch {
            logger.warning("the management API cannot be read", metadata: ["error": "\(error)"])
            return try await asked(remarks: ["RabbitMQ's management API cannot be read: \(error)"])
        }
    }

    /// By AMQP: passive declarations count, active ones compare, and a message to nobody finds out about alarms.
    private func asked(remarks: [String] = []) async throws -> BrokerReading {
        async let alarms = alarms()
        let (queues, flaws) = try await declared()
        return BrokerReading(queues: queues, flaws: flaws, alarms: try await alarms, remarks: remarks)
    }

    private func declared() async throws -> ([QueueReading], [TopologyFlaw]) {
        try await Administrator(broker, logger: logger).lent { administrator in
            try await administrator.open()
            var flaws = try await administrator.exchangeFlaws()
            var readings: [QueueReading] = []
            for queue in Declarations.queues {
                let found = try await administrator.examine(queue)
                if let flaw = found.flaw { flaws.append(flaw) }
                guard let (ready, consumers) = found.counts else { continue }
                readings.append(QueueReading(name: queue.name, ready: ready, consumers: consumers))
            }
            return (readings, flaws)
        }
    }

    /// A broker says that it is blocked to whoever publishes; this message is for a queue that does not exist.
    private func alarms() async throws -> [BrokerAlarm] {
        let quiet = Logger(label: "inspection") { _ in SwiftLogNoOpLogHandler() }
        let publisher = Publisher(broker, logger: quiet)
        let probe = Publication(
            exchange: "", routingKey: "turnstile.nobody", isMandatory: false, properties: Properties(), body: Data())
        do throws(BrokerError) {
            try await publisher.open()
            _ = try await publisher.publish([probe])
            await publisher.close()
            return []
        } catch {
            // Not closed in good order: a blocked broker reads nothing from the connection, not even a goodbye.
            guard error.code == .blocked else { throw error }
            let resource: BrokerAlarm.Resource =
                error.detail.contains("disk") ? .disk : error.detail.contains("memory") ? .memory : .unknown
            return [BrokerAlarm(resource: resource, node: nil, detail: error.detail)]
        }
    }
}

extension QueueReading.Purpose {
    init(of queue: String) {
        self = queue.hasSuffix(".dead") ? .dead : queue.contains(".retry.") ? .retry : .work
    }
}
