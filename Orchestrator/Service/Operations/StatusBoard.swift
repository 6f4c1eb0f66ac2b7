import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres
import Redis

/// The fleet on one screen.
package struct StatusAnswer: Codable, Sendable {
    package struct Component: Codable, Sendable {
        package let name: String
        package let status: String
    }

    /// When it was counted.
    package let at: Date
    package let components: [Component]
    /// Live processes by what they are; nil while Redis does not answer.
    package let processes: [String: Int]?
    package let openSagas: [String: Int]
    package let oldestOpenSaga: SagaID?
    package let oldestOpenSince: Date?
    package let needingAttention: Int
    package let activeHolds: Int
    package let deadLetters: Int
    package let queues: [QueueReading]
}

extension HealthBoard.Status {
    fileprivate var words: String {
        switch self {
        case .ready: "ready"
        case .degraded(let reason): "degraded: \(reason)"
        case .failed(let reason): "failed: \(reason)"
        }
    }
}

/// The next timers to ring.
package struct TimerReading: Codable, Sendable {
    package let sagaId: SagaID
    package let subject: String
    package let dueAt: Date
}

/// Gathers what operators look at first.
struct StatusBoard: Sendable {
    let pool: PostgresPool
    let census: Census
    let queues: QueueWatch
    let health: HealthBoard
    let roll: FleetRoll

    func status() async throws -> StatusAnswer {
        async let readings = queues.read()
        async let processes = processes()
        let numbers = try await census.latest()
        return StatusAnswer(
            at: numbers.at,
            components: health.report.components.map { .init(name: $0.name, status: $0.status.words) },
            processes: await processes, openSagas: numbers.openSagas, oldestOpenSaga: numbers.oldestOpen?.saga,
            oldestOpenSince: numbers.oldestOpen?.since, needingAttention: numbers.needingAttention,
            activeHolds: numbers.heldTickets, deadLetters: numbers.deadLetters.values.reduce(0, +),
            queues: try await readings)
    }

    /// Nobody knows who is alive while Redis does not answer; the rest of the screen stands without it.
    private func processes() async -> [String: Int]? {
        do {
            return tally(try await roll.members().filter { $0.isLive == true }, \.process)
        } catch {
            return nil
        }
    }

    /// - Throws: `Problem` 503 while Redis does not answer.
    func members() async throws -> [FleetMember] {
        do {
            return try await roll.members()
        } catch is RedisError {
            throw Problem(
                .unavailable, "only Redis knows who is alive, and it does not answer; /ops/queues shows who consumes")
        }
    }

    func timers(_ limit: Int) async throws -> [TimerReading] {
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
