import Contracts
import FleetRuntime
import FleetStorage
import Foundation
import Synchronization
import Testing

/// What makes effects happen once.
@Suite struct `An inbox` {
    /// What a transaction has done so far.
    private final class Draft: Sendable {
        let effects = Mutex<[MessageID]>([])
        let rows = Mutex<[MessageID: [OutgoingMessage]]>([:])
    }

    /// A ledger in memory whose transactions are all or nothing.
    private final class MemoryInboxStore: InboxStore {
        let rows = Mutex<[MessageID: [OutgoingMessage]]>([:])
        let effects = Mutex<[MessageID]>([])
        let looks = Atomic(0)

        func transact<R: Sendable>(_ body: (Draft) async throws -> R) async throws -> R {
            let draft = Draft()
            let result = try await body(draft)
            rows.withLock { rows in draft.rows.withLock { rows.merge($0) { _, new in new } } }
            effects.withLock { effects in draft.effects.withLock { effects += $0 } }
            return result
        }

        func recordedReplies(to ids: [MessageID], in transaction: Draft) async throws -> [MessageID: [OutgoingMessage]]
        {
            looks.add(1, ordering: .relaxed)
            return rows.withLock { rows in rows.filter { ids.contains($0.key) } }
        }

        func record(_ handled: [HandledMessage], in transaction: Draft) async throws {
            for message in handled {
                guard rows.withLock({ $0[message.id] }) == nil else { throw DuplicateMessage() }
                transaction.rows.withLock { $0[message.id] = message.replies }
            }
        }
    }

    private struct Failure: RecoverableFailure {
        let isTransient: Bool
    }

    /// Has one effect per message, and replies with an id of its own each time.
    private struct Counting: CommandHandler {
        var failure: Failure?

        func handle(_ batch: [Envelope], in transaction: Draft) async throws -> [Outcome] {
            if let failure { throw failure }
            transaction.effects.withLock { $0 += batch.map(\.id) }
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
        let ledger = MemoryInboxStore()
        let inboxed = IdempotentConsumer(Counting(), ledger: ledger)
        let message = envelope()
        let first = try await inboxed.handle([message, envelope()])
        let second = try await inboxed.handle([envelope(), message])
        #expect(first[0] == second[1])
        #expect(ledger.effects.withLock { $0.count { $0 == message.id } } == 1)
        #expect(ledger.effects.withLock { $0.count } == 3)
    }

    @Test func `is looked at only when something may have come before`() async throws {
        let ledger = MemoryInboxStore()
        let inboxed = IdempotentConsumer(Counting(), ledger: ledger)
        let message = envelope()
        _ = try await inboxed.handle([message, envelope()])
        #expect(ledger.looks.load(ordering: .relaxed) == 0)
        _ = try await inboxed.handle([message])
        #expect(ledger.looks.load(ordering: .relaxed) == 1)
    }

    @Test func `gives a repeat its replies also when the handler would not have it any more`() async throws {
        let ledger = MemoryInboxStore()
        let message = envelope()
        let first = try await IdempotentConsumer(Counting(), ledger: ledger).handle([message])
        let repeated = Envelope(id: message.id, kind: .release, occurredAt: Date(), attempt: 2, body: message.body)
        #expect(try await IdempotentConsumer(Counting(), ledger: ledger).handle([repeated]) == first)
        let failing = Counting(failure: Failure(isTransient: false))
        #expect(try await IdempotentConsumer(failing, ledger: ledger).handle([message]) == first)
        await #expect(throws: Failure.self) {
            _ = try await IdempotentConsumer(failing, ledger: ledger).handle([envelope()])
        }
    }

    @Test func `leaves a batch alone whose database is away`() async throws {
        let ledger = MemoryInboxStore()
        let away = Counting(failure: Failure(isTransient: true))
        await #expect(throws: Failure.self) {
            _ = try await IdempotentConsumer(away, ledger: ledger).handle([envelope()])
        }
        #expect(ledger.looks.load(ordering: .relaxed) == 0)
    }

    @Test func `decides a message that is twice in one batch once`() async throws {
        let ledger = MemoryInboxStore()
        let message = envelope()
        let outcomes = try await IdempotentConsumer(Counting(), ledger: ledger).handle([message, envelope(), message])
        #expect(outcomes[0] == outcomes[2])
        #expect(ledger.effects.withLock { $0.count } == 2)
    }

    @Test func `forgets what will be retried`() async throws {
        let ledger = MemoryInboxStore()
        _ = try await IdempotentConsumer(Counting(), ledger: ledger).handle([envelope(attempt: 2)])
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
