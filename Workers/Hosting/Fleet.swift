import Connections
import Contracts
import FleetRuntime
import FleetStorage
import Logging
import Postgres
import RabbitMQ
import Redis
import ServiceLifecycle
import Topology

/// What every role of a process is built from: settings, connections, health, metrics, logs.
package struct Fleet: Sendable {
    package let settings: Settings
    package let health: HealthRegistry
    package let metrics: PrometheusRegistry
    package let laneBoard = ConsumerRegistry()
    /// What clients may take of the process, whichever of its servers they ask.
    package let connections: ConnectionLimits
    let externals = ExternalPublishers()
    package let logger: Logger

    package init(
        settings: Settings, health: HealthRegistry, metrics: PrometheusRegistry = PrometheusRegistry(), logger: Logger
    ) {
        self.settings = settings
        self.health = health
        self.metrics = metrics
        self.logger = logger
        let connections = ConnectionLimits(
            total: settings.httpConnections, perAddress: settings.httpConnectionsPerAddress)
        self.connections = connections
        metrics.gather { health.samples() + connections.samples() }
    }

    /// A connection that acts as `role`: its rights, its schema first on the search path.
    ///
    /// Its statements are few, prepared once, and find every row by an index; the planner is told so, because a table
    /// that is new has no statistics yet and would be scanned whole for each batch.
    ///
    /// - Parameter thread: one that other connections use as well; nil for a thread of its own.
    package func database(
        of role: FleetRole, for purpose: String, on thread: ConnectionThread? = nil
    ) -> PostgresConnection {
        var configuration = databaseConfiguration(of: role, for: purpose)
        configuration.parameters = [("enable_seqscan", "off"), ("plan_cache_mode", "force_generic_plan")]
        return PostgresConnection(configuration, on: thread, logger: logger)
    }

    package func databasePool(of role: FleetRole, for purpose: String, size: Int) -> PostgresPool {
        let pool = PostgresPool(databaseConfiguration(of: role, for: purpose), size: size, logger: logger)
        metrics.gather {
            let inUse = await pool.inUse
            return [
                Sample(.poolConnections, [("pool", purpose), ("state", "in_use")], Double(inUse)),
                Sample(.poolConnections, [("pool", purpose), ("state", "idle")], Double(size - inUse)),
                Sample(.poolWaiting, [("pool", purpose)], Double(pool.waiting)),
            ]
        }
        return pool
    }

    package func redis(for purpose: String) throws -> RedisClient {
        let client = RedisClient(try RedisConfiguration(url: settings.redisURL), logger: logger)
        metrics.gather {
            [Sample(.redisBreakerOpen, [("purpose", purpose)], client.state == .closed ? 0 : 1)]
        }
        return client
    }

    /// - Parameter thread: one that other connections use as well; nil for a thread of its own.
    package func messagePublisher(of role: FleetRole, for purpose: String, on thread: ConnectionThread? = nil) throws
        -> MessagePublisher
    {
        let publisher = Publisher(
            try brokerConfiguration(of: role, for: "\(purpose) out"), on: thread, logger: logger)
        return MessagePublisher(
            outlet: publisher, external: { try external(of: role) }, application: role.rawValue, health: health,
            logger: logger)
    }

    /// Where a role keeps answers that nobody takes; say so before anything is sent.
    package func keepUndelivered(of role: FleetRole, in store: any UndeliveredStore) {
        externals.keepUndelivered(of: role, in: store)
    }

    /// A connection for what leaves the fleet, whose missing answers are refusals.
    package func externalOutlet(of role: FleetRole, for purpose: String) throws -> any Outlet {
        Publisher(
            try brokerConfiguration(of: role, for: purpose), answersWithin: ExternalPublisher.answerLimit,
            logger: logger)
    }

    /// One for all that a role of this process sends.
    private func external(of role: FleetRole) throws -> ExternalPublisher {
        try externals.publisher(of: role) { store in
            ExternalPublisher(
                outlet: try externalOutlet(of: role, for: "outside"), store: store, health: health, logger: logger)
        }
    }

    /// The lanes for the commands to `role`, each with connections of its own; `handler` is made once for every lane.
    ///
    /// - Parameter rejection: what the sender of a message that cannot be read is told.
    package func commandLanes(
        of role: FleetRole, urgency: BatchConsumer.Urgency = .awaited,
        rejecting rejection: BatchConsumer.Rejecting? = nil,
        handler: (PostgresConnection) throws -> any BatchHandler
    ) throws -> [any Service] {
        try lanes(on: .commands(of: role), of: role, urgency: urgency, rejecting: rejection, handler: handler)
    }

    /// The lanes for the replies of all workers.
    package func replyLanes(
        handler: (PostgresConnection) throws -> any BatchHandler
    ) throws -> [any Service] {
        try lanes(on: .orchestratorReplies, of: .orchestrator, urgency: .awaited, rejecting: nil, handler: handler)
    }

    private func lanes(
        on queue: Queue, of role: FleetRole, urgency: BatchConsumer.Urgency,
        rejecting rejection: BatchConsumer.Rejecting?,
        handler: (PostgresConnection) throws -> any BatchHandler
    ) throws -> [any Service] {
        try (1...settings.lanes).flatMap { number in
            try ConnectionThread.lend { thread in
                try lane(
                    number, on: queue, of: role, urgency: urgency, rejecting: rejection, sharing: thread,
                    handler: handler)
            }
        }
    }

    private func lane(
        _ number: Int, on queue: Queue, of role: FleetRole, urgency: BatchConsumer.Urgency,
        rejecting rejection: BatchConsumer.Rejecting?,
        sharing thread: ConnectionThread, handler: (PostgresConnection) throws -> any BatchHandler
    ) throws -> [any Service] {
        let purpose = settings.lanes == 1 ? queue.name : "\(queue.name) \(number)"
        let consumer = Consumer(
            try brokerConfiguration(of: role, for: "\(purpose) in"), queue: queue.name,
            prefetch: UInt16(min(settings.batch * BatchConsumer.batchesAtOnce, 2_000)), on: thread, logger: logger)
        let connection = database(of: role, for: purpose, on: thread)
        health.expect("queue \(queue.name)")
        return [
            BatchConsumer(
                queue: queue, inlet: QueueInlet(consumer),
                messagePublisher: try messagePublisher(of: role, for: purpose, on: thread),
                handler: try handler(connection), rejecting: rejection, on: thread,
                limits: .init(batch: settings.batch, urgency: urgency), health: health,
                activity: laneBoard.add(queue), logger: logger),
            PeriodicJobRunner(
                DatabasePulse(connection: connection, name: "database of \(purpose)"), every: .seconds(5), batch: 1,
                health: health, logger: logger),
        ]
    }

    private func databaseConfiguration(of role: FleetRole, for purpose: String) -> PostgresConfiguration {
        PostgresConfiguration(
            url: settings.databaseURL, applicationName: "turnstile \(role.rawValue): \(purpose)",
            role: role.databaseRole, searchPath: role.rawValue)
    }

    private func brokerConfiguration(of role: FleetRole, for purpose: String) throws -> BrokerConfiguration {
        try BrokerConfiguration(url: settings.brokerURL, connectionName: "turnstile \(role.rawValue): \(purpose)")
    }
}
