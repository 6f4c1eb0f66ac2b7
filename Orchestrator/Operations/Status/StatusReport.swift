import Contracts
import Engine
import FleetInspection
import FleetRuntime
import FoundationEssentials
import Postgres
import Redis

/// Gathers what operators look at first.
///
/// Each server is asked at the same time as the others and for a limited time, so that none hides what the others know.
package struct StatusReport: Sendable {
    /// How long a screen waits for one server.
    private static let patience = Duration.seconds(3)

    let pool: PostgresPool
    let statistics: FleetStatsCollector
    let queues: QueueWatch
    let health: HealthRegistry
    let roll: ProcessRegistry
    let outages: Outages

    package init(
        pool: PostgresPool, statistics: FleetStatsCollector, queues: QueueWatch, health: HealthRegistry,
        roll: ProcessRegistry, outages: Outages
    ) {
        self.pool = pool
        self.statistics = statistics
        self.queues = queues
        self.health = health
        self.roll = roll
        self.outages = outages
    }

    package func status() async -> StatusAnswer {
        async let numbers = numbers()
        let sight = await fleet()
        let count = await numbers
        let reading = count.reading
        return StatusAnswer(
            at: Date(), countedAt: reading?.at, faults: count.faults + sight.faults, roles: sight.roles,
            components: health.report.components.map {
                .init(name: $0.name, status: $0.status.words, since: $0.since)
            },
            processes: sight.members.map { tally($0.filter { $0.isLive == true }, \.process) },
            openSagas: reading?.openSagas, oldestOpenSaga: reading?.oldestOpen?.saga,
            oldestOpenSince: reading?.oldestOpen?.since, needingAttention: reading?.needingAttention,
            activeHolds: reading?.heldTickets, deadLetters: reading?.deadLetters.values.reduce(0, +),
            undelivered: reading?.undelivered.values.reduce(0, +), queues: sight.broker?.queues)
    }

    package func queueList() async -> QueuesAnswer {
        let (broker, faults) = await brokerReading()
        return QueuesAnswer(queues: broker?.queues ?? [], faults: faults)
    }

    /// What keeps a role from its work now.
    func obstacles(to role: FleetRole) async -> [FleetFault] {
        await fleet().faults.filter { $0.concerns(role) }
    }

    /// - Throws: `Problem` 503 while Redis does not answer.
    package func members() async throws -> [FleetMember] {
        do {
            return try await roll.members()
        } catch let error as RedisError {
            throw Problem(
                .unavailable,
                "only Redis knows who is alive, and it does not answer: \(error); turnstile queues shows who consumes")
        }
    }

    package func timers(_ limit: Int) async throws -> [TimerReading] {
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                """
                SELECT saga_id, subject, due_at FROM expiry.timer_list WHERE status = 'scheduled'
                ORDER BY due_at LIMIT $1
                """, [limit], as: (UUID, String, Date).self)
        }
        return rows.map { TimerReading(sagaId: SagaID($0.0), subject: $0.1, dueAt: $0.2) }
    }
}

extension StatusReport {
    /// Processes and broker, and what is wrong with them.
    private struct Sight {
        let members: [FleetMember]?
        let broker: BrokerReading?
        let roles: [RoleReading]
        let faults: [FleetFault]
    }

    private func fleet() async -> Sight {
        async let reading = brokerReading()
        let (members, rollFaults) = await knownMembers()
        let (broker, brokerFaults) = await reading
        let roles = RoleReading.all(members: members, queues: broker?.queues)
        return Sight(
            members: members, broker: broker, roles: roles,
            faults: brokerFaults + roles.flatMap(\.faults) + rollFaults)
    }

    private func brokerReading() async -> (BrokerReading?, [FleetFault]) {
        do {
            let reading = try await outages.watching(.broker) { [queues] in
                try await within(Self.patience) { try await queues.read() }
            }
            return (reading, FleetFault.all(of: reading))
        } catch {
            return (nil, [FleetFault(broker: error, since: outages.note(.broker))])
        }
    }

    /// Nobody knows who is alive while Redis does not answer; the rest of the screen stands without it.
    private func knownMembers() async -> ([FleetMember]?, [FleetFault]) {
        do {
            return (try await outages.watching(.redis) { try await roll.members() }, [])
        } catch {
            return (nil, [FleetFault(redis: error, since: outages.note(.redis))])
        }
    }

    /// The numbers of this moment, or else those of the last count, with their age.
    private func numbers() async -> (reading: FleetNumbers.Reading?, faults: [FleetFault]) {
        do {
            return (
                try await outages.watching(.database) { [statistics] in
                    try await within(Self.patience) { try await statistics.latest() }
                }, []
            )
        } catch {
            return (statistics.last, [FleetFault(database: error, since: outages.note(.database))])
        }
    }
}

extension FleetFault {
    /// What is wrong with a broker that answers.
    package static func all(of broker: BrokerReading) -> [FleetFault] {
        broker.alarms.map { FleetFault($0) } + broker.flaws.map { FleetFault($0) }
            + broker.remarks.map {
                FleetFault(.rabbitmq, $0, advice: "check AMQP_MANAGEMENT_URL; rates and ages are missing until then")
            }
    }
}
