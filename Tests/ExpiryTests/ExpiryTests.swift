import Contracts
import Expiry
import FleetRuntime
import Foundation
import RabbitMQ
import TestKit
import Testing
import WireJSON

@Suite(.enabled(if: TestServers.haveDatabase), .timeLimit(.minutes(2)))
struct ExpiryTests {
    let saga = SagaID.make()
    let outlet = RecordingOutlet()

    @Test func `a due timer fires once and answers its schedule command`() async throws {
        try await TimerBench.with { bench in
            let command = try Envelope.schedule(saga)
            #expect(try await bench.handle(command) == [.reply([])])
            #expect(try await bench.sweep(outlet).runOnce() == 1)
            #expect(try await bench.sweep(outlet).runOnce() == 0)

            let reply = try #require(outlet.published.first)
            #expect(outlet.published.count == 1)
            #expect(reply.properties.type == "expiry.elapsed.v1")
            #expect(reply.properties.messageID == "\(MessageID.derived(from: command.id.uuid, "expiry.elapsed.v1"))")
            #expect(reply.properties.correlationID == "\(saga)")
            #expect(reply.properties.headers["step"] == .integer(2))
            #expect(reply.properties.headers["causation-id"] == .string("\(command.id)"))
            let trace = TraceContext.child(
                of: try #require(command.traceparent), span: try #require(reply.properties.messageID))
            #expect(reply.properties.headers["traceparent"] == .string(trace))
            #expect(reply.exchange == "turnstile.replies")
            let elapsed = try WireFormat.decode(TimerElapsed.self, from: reply.body)
            #expect(elapsed.subject == "hold")
            #expect(abs(elapsed.dueAt.timeIntervalSinceNow + 1) < 60)
            #expect(try await bench.statuses() == ["fired": 1])
        }
    }

    @Test func `a timer that is not due stays quiet`() async throws {
        try await TimerBench.with { bench in
            try await bench.handle(.schedule(saga, due: 3_600))
            #expect(try await bench.sweep(outlet).runOnce() == 0)
            #expect(try await bench.statuses() == ["scheduled": 1])
        }
    }

    @Test func `a cancelled timer never fires`() async throws {
        try await TimerBench.with { bench in
            try await bench.handle(.schedule(saga))
            try await bench.handle(.cancel(saga))
            #expect(try await bench.sweep(outlet).runOnce() == 0)
            #expect(try await bench.statuses() == ["cancelled": 1])
        }
    }

    @Test func `a cancel that comes before its schedule wins`() async throws {
        try await TimerBench.with { bench in
            try await bench.handle(.cancel(saga))
            try await bench.handle(.schedule(saga))
            #expect(try await bench.sweep(outlet).runOnce() == 0)
            #expect(try await bench.statuses() == ["cancelled": 1])
        }
    }

    @Test func `a cancel wins over its schedule within one batch, whichever comes first`() async throws {
        try await TimerBench.with { bench in
            let other = SagaID.make()
            try await bench.handle(
                .schedule(saga), .cancel(saga), .cancel(other), .schedule(other), .cancel(other, step: 4))
            #expect(try await bench.sweep(outlet).runOnce() == 0)
            #expect(try await bench.statuses() == ["cancelled": 2])
        }
    }

    @Test func `a cancel after the timer fired changes nothing`() async throws {
        try await TimerBench.with { bench in
            try await bench.handle(.schedule(saga))
            #expect(try await bench.sweep(outlet).runOnce() == 1)
            try await bench.handle(.cancel(saga))
            #expect(try await bench.statuses() == ["fired": 1])
        }
    }

    @Test func `a schedule repeated with another time does not move the timer`() async throws {
        try await TimerBench.with { bench in
            try await bench.handle(.schedule(saga, due: 3_600))
            try await bench.handle(.schedule(saga, due: -10, step: 5), .schedule(saga, due: -20, step: 6))
            #expect(try await bench.sweep(outlet).runOnce() == 0)
        }
    }

    @Test func `subjects of one saga are timers of their own`() async throws {
        try await TimerBench.with { bench in
            try await bench.handle(.schedule(saga, "hold"), .schedule(saga, "reminder", step: 3))
            try await bench.handle(.cancel(saga, "hold", step: 4))
            #expect(try await bench.sweep(outlet).runOnce() == 1)
            let elapsed = try WireFormat.decode(TimerElapsed.self, from: try #require(outlet.published.first).body)
            #expect(elapsed.subject == "reminder")
        }
    }

    @Test func `what cannot be used is deadLettered alone, with its reason`() async throws {
        try await TimerBench.with { bench in
            var garbled = try Envelope.schedule(SagaID.make())
            garbled.body = Data(#"{"subject":"hold"}"#.utf8)
            var stray = try Envelope.schedule(SagaID.make())
            stray.kind = .charge
            var orphan = try Envelope.schedule(SagaID.make())
            orphan.sagaID = nil
            let nameless = try Envelope.schedule(SagaID.make(), "")
            let zero = try Envelope.schedule(SagaID.make(), "a\u{0}b")
            let batch = [garbled, stray, orphan, nameless, zero, try .schedule(saga)]
            let outcomes = try await bench.handle(batch)
            #expect(outcomes[0].burialReason?.hasPrefix("malformed-body: ") == true)
            #expect(outcomes[0].burialReason?.contains("dueAt") == true)
            #expect(outcomes[1].burialReason == DeadLetterReason.unexpectedKind(.charge))
            #expect(outcomes[2].burialReason?.hasPrefix("missing-saga: ") == true)
            #expect(outcomes[3].burialReason?.hasPrefix("malformed-body: subject ") == true)
            #expect(outcomes[4].burialReason?.hasPrefix("malformed-body: subject ") == true)
            #expect(outcomes[5] == .reply([]))
            #expect(try await bench.statuses() == ["scheduled": 1])
        }
    }
}

extension Outcome {
    var burialReason: String? {
        if case .deadLetter(let reason, _) = self { reason } else { nil }
    }
}
