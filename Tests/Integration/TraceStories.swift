import Contracts
import FleetRuntime
import Foundation
import Operations
import OrchestratorService
import RabbitMQ
import TestKit
import Testing
import WireJSON

/// One trace id through everything that a purchase causes.
@Suite(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(15)))
struct `A trace` {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let caller = "00-\(trace)-00f067aa0ba902b7-01"

    @Test func `goes from an HTTP header through every message into the journal and the events`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                try await upstream.listen(to: "purchase.completed")
                let answer = try await fleet.start(
                    event, headers: ["Prefer": "wait=20", "traceparent": Self.caller])
                let saga = try answer.decode(TracedReading.self)
                #expect(saga.traceId == Self.trace)
                try await fleet.expectTrace(Self.trace, of: saga.sagaId)
                let completed = try #require(try await upstream.answers(1).first)
                #expect(completed.properties.correlationID == "\(saga.sagaId)")
                #expect(completed.trace == Self.trace)
                #expect(completed.span != "00f067aa0ba902b7", "each message is a span of its own")
                let story = try await fleet.operate("GET", "/sagas/\(saga.sagaId)/explain").decode(SagaExplanation.self)
                #expect(story.traceId == Self.trace)
            }
        }
    }

    @Test func `goes from an upstream message into the journal, the answers and the events`() async throws {
        try await withFleet { fleet in
            let event = try await fleet.publish()
            try await fleet.withUpstream { upstream in
                let body = Data(#"{"userId":"ada","eventId":"\#(event)","quantity":1}"#.utf8)
                try await upstream.publish(
                    body, kind: "purchase.start.v1", messageID: "traced", replyTo: upstream.queue,
                    headers: ["traceparent": .string(Self.caller)])
                let answers = try await upstream.answers(2)
                #expect(answers.map(\.trace) == [Self.trace, Self.trace])
                #expect(Set(answers.map(\.span)).count == 2)
                let accepted = try WireFormat.decode(PurchaseAccepted.self, from: answers[0].body)
                try await fleet.expectTrace(Self.trace, of: accepted.sagaId)
            }
        }
    }

    @Test(arguments: [nil, "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "nonsense"])
    func `that is missing or broken is begun anew under the saga's id`(header: String?) async throws {
        try await withFleet { fleet in
            let headers = header.map { ["Prefer": "wait=20", "traceparent": $0] } ?? ["Prefer": "wait=20"]
            let answer = try await fleet.start(try await fleet.publish(), headers: headers)
            let saga = try answer.decode(TracedReading.self)
            let own = "\(saga.sagaId)".replacing("-", with: "")
            #expect(saga.traceId == own)
            try await fleet.expectTrace(own, of: saga.sagaId)
        }
    }
}

private struct TracedReading: Decodable {
    let sagaId: SagaID
    let traceId: String?
}

extension Delivery {
    private var traceparent: Substring {
        if case .string(let text) = properties.headers["traceparent"] { text[...] } else { "" }
    }

    fileprivate var trace: String { String(traceparent.dropFirst(3).prefix(32)) }
    fileprivate var span: String { String(traceparent.dropFirst(36).prefix(16)) }
}

extension TestFleet {
    /// Every line of the journal belongs to the trace, and each reply that led to one is a span of its own.
    fileprivate func expectTrace(_ trace: String, of saga: SagaID) async throws {
        let lines = try await ask(
            "SELECT traceparent FROM orchestrator.saga_step WHERE saga_id = '\(saga)' ORDER BY version", as: String.self
        )
        #expect(lines.count >= 4)
        #expect(lines.allSatisfy { TraceContext.valid($0) != nil && TraceContext.traceID(of: $0) == trace })
        #expect(Set(lines).count == lines.count)
    }
}
