import Audit
import Contracts
import Engine
import FoundationEssentials
import Postgres
import SagaCore

/// What operators ask of sagas beyond what everybody may: their story, and to be woken.
package struct SagaOperations: Sendable {
    let pool: PostgresPool
    let queries: SagaQueries<PurchaseSaga>
    let file: DeadLetterStore
    let board: StatusReport
    let attempts: Int

    package init(
        pool: PostgresPool, queries: SagaQueries<PurchaseSaga>, file: DeadLetterStore, board: StatusReport,
        attempts: Int
    ) {
        self.pool = pool
        self.queries = queries
        self.file = file
        self.board = board
        self.attempts = attempts
    }

    package func story(of id: SagaID) async throws -> SagaExplanation {
        guard let history = try await queries.history(of: id) else { throw Self.missing(id) }
        let clocks = try await pool.withConnection { connection in
            try await connection.query(
                "SELECT now(), due_at, wake_at, attempts FROM saga WHERE id = $1", [id.uuid],
                as: (Date, Date, Date?, Int32).self)
        }
        guard let clock = clocks.first else { throw Self.missing(id) }
        var story = SagaExplanation(
            history,
            SagaClock(
                now: clock.0, dueAt: clock.1, wakeAt: clock.2, attempts: Int(clock.3), maximumAttempts: attempts),
            deadLetters: try await file.letters(of: id))
        if let owner = story.owner.flatMap({ FleetRole(rawValue: $0) }) {
            story.obstacles = await board.obstacles(to: owner)
        }
        return story
    }

    /// Lets the watchdog ask again at its next look instead of when the answer is overdue, with all attempts before it.
    package func redrive(_ id: SagaID, by visit: OperatorVisit) async throws {
        guard try await queries.history(of: id) != nil else { throw Self.missing(id) }
        try await visit.willDo(NewAction(word: "redrive", subject: "saga \(id)"))
        let woken = try await pool.withConnection { connection in
            try await connection.execute(
                "UPDATE saga SET wake_at = now(), due_at = now(), attempts = 0 WHERE id = $1 AND wake_at IS NOT NULL",
                [id.uuid])
        }
        guard woken == 1 else {
            throw Problem(.alreadyEnded, "the purchase has ended and waits for nothing", sagaId: id)
        }
    }

    private static func missing(_ id: SagaID) -> Problem { Problem(.notFound, "there is no saga \(id)") }
}
