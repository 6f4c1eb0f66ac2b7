import Contracts
import FleetRuntime
import FleetStorage
import Foundation
import Notification
import Postgres
import Synchronization
import TestKit
import Testing

@Suite(.enabled(if: TestServers.haveDatabase), .timeLimit(.minutes(2)))
struct NotificationTests {
    let saga = SagaID.make()

    @Test func `a letter is delivered and the orchestrator is told`() async throws {
        let sink = ScriptedSink()
        try await LetterBench.with(sink) { bench in
            let command = try Envelope.send(for: saga)
            let outcomes = try await bench.handle(command)
            guard case .reply(let replies) = outcomes[0] else { Issue.record("no reply"); return }
            let reply = try #require(replies.first)
            #expect(reply.destination == .orchestrator)
            #expect(reply.envelope.id == .derived(from: command.id.uuid, "notification.delivered.v1"))
            #expect(reply.envelope.sagaID == saga)
            #expect(reply.envelope.step == 4)
            #expect(try reply.envelope.decode(NotificationDelivered.self).channel == "scripted")
            #expect(sink.letters.map(\.recipient) == ["anna"])
            #expect(try await bench.letters() == ["purchase-completed delivered 1"])
            #expect(try await bench.attempts() == ["1 delivered"])
        }
    }

    @Test func `a letter is delivered once per saga and template, however often it is asked for`() async throws {
        let sink = ScriptedSink()
        try await LetterBench.with(sink) { bench in
            let first = try await bench.handle(.send(for: saga), .send(for: saga), .send(for: saga, step: 5))
            let again = try await bench.handle(.send(for: saga), .send(for: saga, step: 6))
            let other = try await bench.handle(.send(.purchaseRefunded, for: saga, step: 7))
            #expect((first + again + other).allSatisfy { $0.summary == ["notification.delivered.v1"] })
            #expect(first[0].replyIDs == first[1].replyIDs, "a repeat gets the recorded reply")
            #expect(first[0].replyIDs == again[0].replyIDs)
            #expect(sink.letters.map(\.key.template) == [.purchaseCompleted, .purchaseRefunded])
            #expect(try await bench.letters() == ["purchase-completed delivered 1", "purchase-refunded delivered 1"])
        }
    }

    @Test func `a failing sink is recorded and tried again until it works`() async throws {
        let sink = ScriptedSink(.fail("greylisted"), .fail("greylisted"))
        try await LetterBench.with(sink) { bench in
            var command = try Envelope.send(for: saga)
            #expect(try await bench.handle(command)[0].summary == ["retry after 1 s: greylisted"])
            command.attempt = 2
            #expect(try await bench.handle(command)[0].summary == ["retry after 10 s: greylisted"])
            #expect(try await bench.letters() == ["purchase-completed pending 2"])
            command.attempt = 3
            #expect(try await bench.handle(command)[0].summary == ["notification.delivered.v1"])
            #expect(try await bench.attempts() == ["1 failed greylisted", "2 failed greylisted", "3 delivered"])
        }
    }

    @Test func `a sink that refuses for good ends the letter, and a repeat hears the same`() async throws {
        let sink = ScriptedSink(.refuse("no such mailbox"))
        try await LetterBench.with(sink) { bench in
            let outcomes = try await bench.handle(.send(for: saga)) + bench.handle(.send(for: saga, step: 9))
            #expect(outcomes.allSatisfy { $0.summary == ["notification.failed.v1"] })
            guard case .reply(let replies) = outcomes[1] else { Issue.record("no reply"); return }
            #expect(try replies[0].envelope.decode(NotificationFailed.self).reason == "no such mailbox")
            #expect(sink.letters.count == 1)
            #expect(try await bench.letters() == ["purchase-completed failed 1"])
        }
    }

    @Test func `after many failed attempts the buyer counts as unreachable`() async throws {
        let sink = ScriptedSink(.fail("down"), .fail("down"))
        try await LetterBench.with(sink) { bench in
            _ = try await bench.handle(.send(for: saga))
            _ = try await bench.owner.execute("UPDATE notification.notification SET attempts = 24")
            #expect(try await bench.handle(.send(for: saga))[0].summary == ["notification.failed.v1"])
            #expect(try await bench.attempts().last == "25 refused given up after 25 attempts: down")
        }
    }

    @Test func `a letter in the hands of another replica waits`() async throws {
        let sink = ScriptedSink(.hang)
        try await withTestDatabase([(.notification, NotificationService.migrations)]) { database in
            let slow = LetterBench.replica(database, sink, patience: .seconds(600))
            let command = try Envelope.send(for: saga)
            let delivery = Task { try await slow.handle([command]) }
            while sink.letters.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            let quick = LetterBench(database, sink)
            let outcome = try await quick.handle(command)[0]
            #expect(outcome.summary.first?.hasSuffix("another worker is delivering the letter") == true)
            #expect(sink.letters.count == 1)
            delivery.cancel()
            #expect(try await delivery.value[0].summary == ["retry after 1 s: no answer in time"])
            #expect(try await quick.handle(command)[0].summary == ["notification.delivered.v1"])
        }
    }

    @Test func `a database that fails after the delivery does not make a second letter`() async throws {
        let sink = ScriptedSink()
        try await withTestDatabase([(.notification, NotificationService.migrations)]) { database in
            let handler = ExternalCallConsumer(
                NotificationWorker(store: PostgresNotificationStore(), desk: NotificationSender(sink: sink)),
                ledger: FailingOnce(PostgresInboxStore(database.connection(as: .notification))))
            let command = try Envelope.send(for: saga)
            await #expect(throws: FailingOnce.Outage.self) { try await handler.handle([command]) }
            #expect(try await handler.handle([command])[0].summary == ["notification.delivered.v1"])
            #expect(sink.letters.count == 1)
            #expect(try await LetterBench(database, sink).attempts() == ["2 delivered"])
        }
    }

    @Test func `the attempt is recorded before the letter goes out`() async throws {
        let sink = ScriptedSink(.hang)
        try await withTestDatabase([(.notification, NotificationService.migrations)]) { database in
            let bench = LetterBench(database, sink)
            let command = try Envelope.send(for: saga)
            let delivery = Task { try await bench.handle(command) }
            while sink.letters.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
            #expect(try await bench.letters() == ["purchase-completed pending 1"])
            delivery.cancel()
            _ = try await delivery.value
        }
    }

    @Test func `what cannot be used is deadLettered alone`() async throws {
        let sink = ScriptedSink()
        try await LetterBench.with(sink) { bench in
            var garbled = try Envelope.send(for: .make())
            garbled.body = Data("{}".utf8)
            var stray = try Envelope.send(for: .make())
            stray.kind = .reserve
            var orphan = try Envelope.send(for: .make())
            orphan.sagaID = nil
            let forged = try Envelope.send(for: .make(), email: "a@b.c\r\nBcc: all@b.c")
            let outcomes = try await bench.handle(garbled, stray, orphan, forged, .send(for: saga))
            #expect(outcomes[0].summary[0].hasPrefix("bury: malformed-body: "))
            #expect(outcomes[1].summary == ["bury: \(DeadLetterReason.unexpectedKind(.reserve))"])
            #expect(outcomes[2].summary[0].hasPrefix("bury: missing-saga: "))
            #expect(outcomes[3].summary[0].hasPrefix("bury: malformed-body: email "))
            #expect(outcomes[4].summary == ["notification.delivered.v1"])
            #expect(sink.letters.count == 1)
        }
    }

    @Test func `five hundred letters are two transactions and five hundred rows`() async throws {
        let sink = ScriptedSink()
        try await LetterBench.with(sink) { bench in
            let batch = try (0..<500).map { _ in try Envelope.send(for: .make()) }
            let outcomes = try await bench.handler.handle(batch)
            #expect(outcomes.allSatisfy { $0.summary == ["notification.delivered.v1"] })
            #expect(sink.letters.count == 500)
            #expect(sink.peak <= 8)
            #expect(try await bench.attempts().count == 500)
        }
    }
}

/// A ledger that loses its first record, as when the database goes away.
private final class FailingOnce: InboxStore {
    struct Outage: Error {}

    private let ledger: PostgresInboxStore
    private let hasFailed = Atomic(false)

    init(_ ledger: PostgresInboxStore) {
        self.ledger = ledger
    }

    func transact<R: Sendable>(_ body: (Transaction) async throws -> R) async throws -> R {
        try await ledger.transact(body)
    }

    func recordedReplies(
        to ids: [MessageID], in transaction: Transaction
    ) async throws -> [MessageID: [OutgoingMessage]] {
        try await ledger.recordedReplies(to: ids, in: transaction)
    }

    func record(_ handled: [HandledMessage], in transaction: Transaction) async throws {
        guard hasFailed.exchange(true, ordering: .relaxed) else { throw Outage() }
        try await ledger.record(handled, in: transaction)
    }
}
