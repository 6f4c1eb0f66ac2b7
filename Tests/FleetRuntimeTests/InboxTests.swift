import Contracts
import FleetRuntime
import Foundation
import Synchronization
import Testing

/// What makes effects happen once.
@Suite struct `An inbox` {
    /// A ledger in memory whose transactions are all or nothing.
    private final class MemoryLedger: Ledger {
        let rows = Mutex<[MessageID: [OutgoingMessage]]>([:])

        func transact<R: Sendable>(_ body: (Int) async throws -> R) async throws -> R { try await body(0) }

        func recordedReplies(to ids: [MessageID], in transaction: Int) async throws -> [MessageID: [OutgoingMessage]] {
            rows.withLock { rows in rows.filter { ids.contains($0.key) } }
        }

        func record(_ handled: [HandledMessage], in transaction: Int) async throws {
            rows.withLock { rows in
                for message in handled { rows[message.id] = message.replies }
            }
        }
    }

    /// Counts its work and replies with the count.
    private final class Counting: CommandHandler {
        let handled = Mutex<[MessageID]>([])

        func handle(_ batch: [Envelope], in transaction: Int) async throws -> [Outcome] {
            handled.withLock { $0 += batch.map(\.id) }
            return try batch.map { envelope in
                envelope.attempt > 1
                    ? .retry(after: .seconds(1), reason: "later")
                    : .reply([
                        OutgoingMessage(
                            try Envelope(
                                id: .make(), SeatsReleased(), sagaID: nil, step: nil, causationID: envelope.id,
                                occurredAt: Date(timeIntervalSince1970: 1)),
                            to: .orchestrator)
                    ])
            }
        }
    }

    private func envelope(_ id: MessageID = .make(), attempt: Int = 1) -> Envelope {
        Envelope(id: id, kind: .release, occurredAt: Date(), attempt: attempt, body: Data("{}".utf8))
    }

    @Test func `gives a repeat the replies of the first time and no second effect`() async throws {
        let handler = Counting()
        let inboxed = Inboxed(handler, ledger: MemoryLedger())
        let message = envelope()
        let first = try await inboxed.handle([message, envelope()])
        let second = try await inboxed.handle([envelope(), message])
        #expect(first[0] == second[1])
        #expect(handler.handled.withLock { $0.count { $0 == message.id } } == 1)
    }

    @Test func `decides a message that is twice in one batch once`() async throws {
        let handler = Counting()
        let message = envelope()
        let outcomes = try await Inboxed(handler, ledger: MemoryLedger()).handle([message, envelope(), message])
        #expect(outcomes[0] == outcomes[2])
        #expect(handler.handled.withLock { $0.count } == 2)
    }

    @Test func `forgets what will be retried`() async throws {
        let ledger = MemoryLedger()
        _ = try await Inboxed(Counting(), ledger: ledger).handle([envelope(attempt: 2)])
        #expect(ledger.rows.withLock { $0.isEmpty })
    }

    @Test func `writes replies so that they read back the same`() throws {
        let message = OutgoingMessage(
            Envelope(
                id: .make(), kind: .captured, sagaID: .make(), step: 4, causationID: .make(),
                occurredAt: Date(timeIntervalSince1970: 1_900_000_000), traceparent: "00-trace",
                correlationID: "order \"7\"\n", body: Data(#"{"chargeId":"ü€","amount":{"minor":1}}"#.utf8)),
            to: .upstream(queue: "answers"))
        #expect(try RecordedReplies.decode(RecordedReplies.encode([message, message])) == [message, message])
        #expect(try RecordedReplies.decode(RecordedReplies.encode([])) == [])
    }
}
