import Connections
import Contracts
import CoreMetrics
import FleetInspection
import FleetRuntime
import Foundation
import Logging
import RabbitMQ
import ServiceLifecycle
import Synchronization
import Testing
import Topology

/// What a lane does with a batch, whatever its handler does.
@Suite(.timeLimit(.minutes(1)))
struct `A lane` {
    @Test func `publishes what follows and acknowledges the batch once`() async throws {
        let outlet = ScriptedOutlet()
        let inlet = try await LaneRun.run([[delivery(1), delivery(2), delivery(3)]], outlet: outlet) {
            try $0.map(LaneRun.reply)
        }
        #expect(outlet.taken.count == 3)
        #expect(outlet.taken.allSatisfy { $0.isMandatory && $0.exchange == "turnstile.replies" })
        #expect(inlet.acknowledged == [3])
    }

    @Test func `decides on the thread it was given`() async throws {
        let thread = ConnectionThread()
        let inlet = try await LaneRun.run([[delivery(1)], [delivery(2)]], outlet: ScriptedOutlet(), on: thread) {
            #expect(thread.isIsolatingCurrentContext() == true)
            return try $0.map(LaneRun.reply)
        }
        #expect(inlet.acknowledged == [1, 2])
        thread.retire()
    }

    @Test func `buries what cannot be read, alone, with its reason`() async throws {
        let outlet = ScriptedOutlet()
        let batch = [delivery(1), delivery(2, kind: "nonsense"), delivery(3)]
        let inlet = try await LaneRun.run([batch], outlet: outlet) { try $0.map(LaneRun.reply) }
        let deadLettered = outlet.taken.filter { $0.exchange == "turnstile.dead" }
        #expect(outlet.taken.count == 3)
        #expect(deadLettered.map(\.routingKey) == ["test"])
        #expect(deadLettered.first?.properties.headers["buried-because"] == .string("unknown-kind: nonsense"))
        #expect(inlet.acknowledged == [3])
    }

    @Test func `passes on only the head of what is too large, with the reason, again and again`() async throws {
        let outlet = ScriptedOutlet()
        let message = Delivery(
            tag: 1, isRedelivered: false, exchange: "", routingKey: "",
            properties: Properties(messageID: "large", type: MessageKind.released.rawValue), body: Data(),
            bodySize: 5_000_000)
        let kept = delivery(2, body: String(repeating: "x", count: 70_000))
        let inlet = try await LaneRun.run([[message, kept]], outlet: outlet) { try $0.map(LaneRun.reply) }
        #expect(outlet.taken.map(\.exchange) == ["turnstile.dead", "turnstile.dead"])
        #expect(outlet.taken.map(\.body.count) == [0, 70_000])
        let reasons = [
            "too-large: 5000000 bytes, the limit is 65536; the body is left out",
            "too-large: 70000 bytes, the limit is 65536",
        ]
        #expect(outlet.taken.map { $0.properties.headers["buried-because"] } == reasons.map { .string($0) })
        #expect(outlet.taken.map { $0.properties.headers["cut-body-size"] } == [.integer(5_000_000), nil])
        #expect(inlet.acknowledged == [2])
        let dead = try #require(outlet.taken.first)
        let replayed = Publication(replaying: dead.properties, body: dead.body, to: "test")
        let again = Delivery(
            tag: 1, isRedelivered: false, exchange: "", routingKey: "", properties: replayed.properties, body: Data())
        let second = ScriptedOutlet()
        _ = try await LaneRun.run([[again]], outlet: second) { try $0.map(LaneRun.reply) }
        #expect(second.taken.first?.properties.headers["buried-because"] == .string(reasons[0]))
    }

    @Test(arguments: [0, 253_402_300_800, 1 << 63, .max] as [UInt64])
    func `takes a message whatever time it says it was sent at`(timestamp: UInt64) async throws {
        let outlet = ScriptedOutlet()
        let message = Delivery(
            tag: 1, isRedelivered: false, exchange: "", routingKey: "",
            properties: Properties(
                messageID: "timed", correlationID: SagaID.make().description, type: MessageKind.released.rawValue,
                timestamp: timestamp),
            body: Data("{}".utf8))
        _ = try await LaneRun.run([[message]], outlet: outlet) { envelopes in
            try envelopes.map { .reply([try $0.reply(SeatsReleased(), at: $0.occurredAt)]) }
        }
        #expect(outlet.taken.map(\.exchange) == ["turnstile.replies"])
    }

    @Test func `can always write what it buries, whatever was in the headers`() async throws {
        let long = String(repeating: "x", count: 300)
        let many = FieldTable((0..<20_000).map { ("\($0)", .boolean(true)) })
        for headers: FieldTable in [["type": .string(long)], [long: .integer(1), "type": .string("nonsense")], many] {
            let outlet = ScriptedOutlet()
            let message = Delivery(
                tag: 1, isRedelivered: false, exchange: "", routingKey: "",
                properties: Properties(messageID: "odd", headers: headers), body: Data("{}".utf8))
            let inlet = try await LaneRun.run([[message]], outlet: outlet) { try $0.map(LaneRun.reply) }
            #expect(outlet.taken.map(\.exchange) == ["turnstile.dead"])
            #expect(outlet.taken.allSatisfy { $0.isWritable })
            #expect(inlet.acknowledged == [1])
        }
    }

    @Test func `takes no header for a property that is longer than properties are`() async throws {
        let outlet = ScriptedOutlet()
        let headers: FieldTable = [
            "message-id": .string(String(repeating: "x", count: 256)), "correlation-id": .string("\(SagaID.make())"),
        ]
        let message = Delivery(
            tag: 1, isRedelivered: false, exchange: "", routingKey: "",
            properties: Properties(type: MessageKind.released.rawValue, headers: headers), body: Data("{}".utf8))
        _ = try await LaneRun.run([[message]], outlet: outlet) { try $0.map(LaneRun.reply) }
        let reason = try #require(outlet.taken.first?.properties.headers["buried-because"])
        #expect("\(reason)".contains("missing-message-id"))
    }

    @Test func `finds the one message that fails for good and lets its neighbours through`() async throws {
        let outlet = ScriptedOutlet()
        let poison = MessageID.make()
        let batch = (1...9).map { delivery($0, id: $0 == 5 ? poison.description : nil) }
        _ = try await LaneRun.run([batch], outlet: outlet) { envelopes in
            if envelopes.contains(where: { $0.id == poison }) { throw Mishap(isTransient: false) }
            return try envelopes.map(LaneRun.reply)
        }
        #expect(outlet.taken.count { $0.exchange == "turnstile.replies" } == 8)
        let retried = try #require(outlet.taken.first { $0.routingKey == "test.retry.1s" })
        #expect(retried.properties.messageID == poison.description)
        #expect(retried.properties.headers["attempt"] == .integer(2))
    }

    @Test(arguments: [(1, "test.retry.1s"), (2, "test.retry.10s"), (3, "test.retry.60s"), (4, "test.retry.60s")])
    func `retries a failing message later and later`(attempt: Int64, queue: String) async throws {
        let outlet = ScriptedOutlet()
        _ = try await LaneRun.run([[delivery(1, attempt: attempt)]], outlet: outlet) { _ in
            throw Mishap(isTransient: false)
        }
        #expect(outlet.taken.map(\.routingKey) == [queue])
    }

    @Test func `buries a message whose attempts are used up`() async throws {
        let outlet = ScriptedOutlet()
        _ = try await LaneRun.run([[delivery(1, attempt: 5)]], outlet: outlet) { _ in throw Mishap(isTransient: false) }
        #expect(outlet.taken.map(\.exchange) == ["turnstile.dead"])
        let waiting = ScriptedOutlet()
        _ = try await LaneRun.run([[delivery(1, attempt: 5)]], outlet: waiting) { _ in
            [.retry(after: .seconds(1), reason: "not yet")]
        }
        #expect(waiting.taken.map(\.exchange) == ["turnstile.dead"])
    }

    @Test func `repeats a batch through transient trouble without using up attempts`() async throws {
        let outlet = ScriptedOutlet()
        let failures = Mutex(3)
        let inlet = try await LaneRun.run([[delivery(1), delivery(2)]], outlet: outlet) { envelopes in
            let mustFail = failures.withLock { left in
                left -= 1
                return left >= 0
            }
            if mustFail { throw Mishap(isTransient: true) }
            return try envelopes.map(LaneRun.reply)
        }
        #expect(outlet.taken.count == 2)
        #expect(outlet.taken.allSatisfy { $0.exchange == "turnstile.replies" })
        #expect(inlet.acknowledged == [2])
    }

    @Test func `takes a batch apart that meets the same conflict for ever, and puts the one message at fault off`()
        async throws
    {
        let outlet = ScriptedOutlet()
        let registry = PrometheusRegistry()
        let poison = MessageID.make()
        var batch = (1...40).map { delivery(UInt64($0)) }
        batch[17] = delivery(18, id: poison.description)
        try await withMetricsFactory(registry) { [batch] in
            _ = try await LaneRun.run([batch, [delivery(41)]], outlet: outlet) { envelopes in
                if envelopes.contains(where: { $0.id == poison }) { throw DuplicateMessage() }
                return try envelopes.map(LaneRun.reply)
            }
        }
        #expect(outlet.taken.count { $0.exchange == "turnstile.replies" } == 40)
        #expect(outlet.taken.filter { $0.exchange != "turnstile.replies" }.map(\.routingKey) == ["test.retry.1s"])
        let text = await registry.scrape()
        #expect(text.contains("turnstile_lasting_conflicts_total{queue=\"test\"}"))
        let last = ScriptedOutlet()
        _ = try await LaneRun.run([[delivery(1, id: poison.description, attempt: 5)]], outlet: last) { _ in
            throw DuplicateMessage()
        }
        #expect(last.taken.map(\.exchange) == ["turnstile.dead"])
    }

    @Test func `rides out a conflict that passes, with all of the batch`() async throws {
        let outlet = ScriptedOutlet()
        let failures = Mutex(3)
        _ = try await LaneRun.run([[delivery(1), delivery(2)]], outlet: outlet) { envelopes in
            let isInTheWay = failures.withLock { left in
                left -= 1
                return left >= 0
            }
            if isInTheWay { throw OptimisticLockFailure() }
            #expect(envelopes.count == 2)
            return try envelopes.map(LaneRun.reply)
        }
        #expect(outlet.taken.count == 2 && outlet.taken.allSatisfy { $0.exchange == "turnstile.replies" })
    }

    @Test func `keeps ids that were chosen outside apart from the fleet's own`() async throws {
        let id = MessageID.make()
        let seen = Mutex<[Envelope]>([])
        let batch = [MessageKind.released, .purchaseCancel, .observe].enumerated().map { index, kind in
            delivery(UInt64(index + 1), kind: kind.rawValue, id: id.description)
        }
        _ = try await LaneRun.run([batch], outlet: ScriptedOutlet()) { envelopes in
            seen.withLock { $0 = envelopes }
            return try envelopes.map(LaneRun.reply)
        }
        let envelopes = seen.withLock { $0 }
        #expect(envelopes.map { $0.id == id } == [true, false, false])
        #expect(envelopes.map(\.requestKey) == [nil, "amqp:\(id)", "amqp:\(id)"])
    }

    @Test func `sends again what the broker refused or lost before it acknowledges`() async throws {
        let outlet = ScriptedOutlet(failures: 2, refusals: 3)
        let inlet = try await LaneRun.run([[delivery(1), delivery(2), delivery(3), delivery(4)]], outlet: outlet) {
            try $0.map(LaneRun.reply)
        }
        #expect(Set(outlet.taken.map(\.properties.messageID)).count == 4)
        #expect(inlet.acknowledged == [4])
    }

    @Test func `decides the next batch while the one before waits for its confirms, and settles both in order`()
        async throws
    {
        let (second, reached) = AsyncStream<Void>.makeStream()
        let outlet = ScriptedOutlet(holdingFirstUntil: second)
        let later = MessageID.make()
        let inlet = try await LaneRun.run([[delivery(1)], [delivery(2, id: later.description)]], outlet: outlet) {
            envelopes in
            if envelopes.contains(where: { $0.id == later }) { reached.finish() }
            return try envelopes.map(LaneRun.reply)
        }
        #expect(outlet.taken.count == 2)
        #expect(inlet.acknowledged == [1, 2])
    }
}
