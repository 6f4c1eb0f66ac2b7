import Contracts
import Expiry
import FleetRuntime
import FleetStorage
import Foundation
import Logging
import Postgres
import TestKit

/// The expiry role on a database of its own: commands go in, publications come out.
struct TimerBench: Sendable {
    let connection: PostgresConnection
    let owner: PostgresConnection
    private let handler: any BatchHandler

    static func with(_ body: (TimerBench) async throws -> Void) async throws {
        try await withTestDatabase([(.expiry, ExpiryService.migrations)]) { database in
            try await body(TimerBench(database))
        }
    }

    init(_ database: TestDatabase) {
        connection = database.connection(as: .expiry)
        owner = database.owner()
        handler = IdempotentConsumer(
            ExpiryWorker(timers: PostgresTimers(connection)), ledger: PostgresInboxStore(connection))
    }

    @discardableResult
    func handle(_ envelopes: Envelope...) async throws -> [Outcome] {
        try await handler.handle(envelopes)
    }

    func handle(_ envelopes: [Envelope]) async throws -> [Outcome] {
        try await handler.handle(envelopes)
    }

    /// A sweep as one replica runs it, on `connection` or one of its own.
    func sweep(_ outlet: RecordingOutlet, on other: PostgresConnection? = nil, batch: Int = 500) -> DueTimers {
        let messagePublisher = MessagePublisher(
            outlet: outlet, application: "expiry", health: HealthRegistry(), logger: .init(label: "test"))
        return DueTimers(PostgresTimers(other ?? connection), messagePublisher: messagePublisher, batch: batch)
    }

    func statuses() async throws -> [String: Int] {
        let rows = try await owner.query(
            "SELECT status, count(*) FROM expiry.timer GROUP BY status", as: (String, Int).self)
        return Dictionary(uniqueKeysWithValues: rows)
    }

    /// Lets the claims of a replica that died run out.
    func endLeases() async throws {
        _ = try await owner.execute(
            "UPDATE expiry.timer SET claimed_until = now() - interval '1 second' WHERE claimed_until IS NOT NULL")
    }
}

extension Envelope {
    static func schedule(
        _ saga: SagaID, _ subject: String = "hold", due seconds: TimeInterval = -1, step: Int = 2
    ) throws -> Envelope {
        try Envelope(
            id: .derived(from: saga, step: step, kind: .schedule),
            ScheduleTimer(subject: subject, dueAt: Date(timeIntervalSinceNow: seconds)), sagaID: saga, step: step,
            causationID: nil, occurredAt: Date(),
            traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    }

    static func cancel(_ saga: SagaID, _ subject: String = "hold", step: Int = 3) throws -> Envelope {
        try Envelope(
            id: .derived(from: saga, step: step, kind: .unschedule), CancelTimer(subject: subject), sagaID: saga,
            step: step, causationID: nil, occurredAt: Date())
    }
}
