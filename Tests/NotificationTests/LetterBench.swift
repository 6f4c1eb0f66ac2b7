import Contracts
import FleetRuntime
import FleetStorage
import Foundation
import Notification
import Postgres
import TestKit

/// The notification role on a database of its own, with a sink that the test directs.
struct LetterBench: Sendable {
    let database: TestDatabase
    let owner: PostgresConnection
    let handler: any BatchHandler

    static func with(_ sink: ScriptedSink, _ body: (LetterBench) async throws -> Void) async throws {
        try await withTestDatabase([(.notification, NotificationService.migrations)]) { database in
            try await body(LetterBench(database, sink))
        }
    }

    init(_ database: TestDatabase, _ sink: ScriptedSink) {
        self.database = database
        owner = database.owner()
        handler = Self.replica(database, sink)
    }

    /// One more worker on the same database.
    static func replica(
        _ database: TestDatabase, _ sink: ScriptedSink, patience: Duration = .seconds(10)
    ) -> any BatchHandler {
        let desk = NotificationSender(sink: sink, width: 8, patience: patience)
        return ExternalCallConsumer(
            NotificationWorker(store: PostgresNotificationStore(), desk: desk),
            ledger: PostgresInboxStore(database.connection(as: .notification)))
    }

    func handle(_ envelopes: Envelope...) async throws -> [Outcome] {
        try await handler.handle(envelopes)
    }

    /// Status and attempts begun of every letter.
    func letters() async throws -> [String] {
        try await owner.query(
            """
            SELECT template || ' ' || status || ' ' || attempts
            FROM notification.notification
            ORDER BY saga_id, template
            """, as: String.self)
    }

    /// Number, outcome and detail of every attempt that ended.
    func attempts() async throws -> [String] {
        try await owner.query(
            """
            SELECT number || ' ' || outcome || coalesce(' ' || detail, '')
            FROM notification.attempt
            ORDER BY saga_id, template, number
            """, as: String.self)
    }
}

extension Envelope {
    static func send(
        _ template: SendNotification.Template = .purchaseCompleted, for saga: SagaID, step: Int = 4,
        userId: String = "anna", email: String? = nil
    ) throws -> Envelope {
        let command = SendNotification(
            template: template, userId: userId, email: email, eventId: .make(),
            amount: Money(currency: "EUR", minor: 4_990), reason: template == .purchaseRefused ? "sold-out" : nil,
            tickets: [])
        return try Envelope(
            id: .derived(from: saga, step: step, kind: .notify), command, sagaID: saga, step: step, causationID: nil,
            occurredAt: Date())
    }
}

extension Outcome {
    var replyIDs: [MessageID] {
        if case .reply(let messages) = self { messages.map(\.envelope.id) } else { [] }
    }

    /// The kinds of the replies, or what else became of the message.
    var summary: [String] {
        switch self {
        case .reply(let messages): messages.map(\.envelope.kind.rawValue)
        case .retry(let pause, let reason): ["retry after \(pause.components.seconds) s: \(reason)"]
        case .deadLetter(let reason, _): ["bury: \(reason)"]
        }
    }
}
