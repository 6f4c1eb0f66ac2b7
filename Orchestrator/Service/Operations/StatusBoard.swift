import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres

/// The fleet on one screen.
package struct StatusAnswer: Codable, Sendable {
    package struct Component: Codable, Sendable {
        package let name: String
        package let status: String
    }

    package let at: Date
    package let components: [Component]
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
    let inspector: QueueInspector
    let health: HealthBoard

    func status() async throws -> StatusAnswer {
        let (states, oldest, counts) = try await pool.withConnection { connection in
            let states = try await connection.query(
                "SELECT state, count(*) FROM saga WHERE outcome IS NULL GROUP BY state", as: (String, Int).self)
            let oldest = try await connection.query(
                "SELECT id, created_at FROM saga WHERE outcome IS NULL ORDER BY id LIMIT 1", as: (UUID, Date).self)
            let counts = try await connection.query(
                """
                SELECT (SELECT count(*) FROM saga WHERE needs_attention IS NOT NULL),
                    (SELECT coalesce(sum(held), 0) FROM reservation.tier_list)::bigint,
                    (SELECT count(*) FROM dead_letter WHERE state = 'waiting'), now()
                """, as: (Int, Int, Int, Date).self)
            return (states, oldest.first, counts.first)
        }
        guard let counts else { preconditionFailure("a SELECT without FROM gives one row") }
        return StatusAnswer(
            at: counts.3, components: health.report.components.map { .init(name: $0.name, status: $0.status.words) },
            openSagas: Dictionary(uniqueKeysWithValues: states), oldestOpenSaga: oldest.map { SagaID($0.0) },
            oldestOpenSince: oldest?.1, needingAttention: counts.0, activeHolds: counts.1, deadLetters: counts.2,
            queues: try await inspector.queues())
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
