import Contracts
import FleetRuntime
import Foundation
import RabbitMQ
import Testing

@Suite struct `A trace context` {
    private static let cause = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test(arguments: [
        cause, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
    ])
    func `is taken when it is well-formed`(text: String) {
        #expect(TraceContext.valid(text) == text)
    }

    @Test(arguments: [
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-the-future-brings",
    ])
    func `of a later version counts as far as it is known`(text: String) {
        #expect(TraceContext.valid(text) == Self.cause)
    }

    @Test(arguments: [
        "", "00-0-0-0", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
        cause + ", " + cause, " " + cause, "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
    ])
    func `is ignored when it is not`(text: String) {
        #expect(TraceContext.valid(text) == nil)
    }

    @Test func `goes on with the same trace and the message as its span`() {
        let span = "0198f0a2-7c00-8123-9abc-def012345678"
        #expect(
            TraceContext.child(of: Self.cause, span: span)
                == "00-4bf92f3577b34da6a3ce929d0e0e4736-9abcdef012345678-01")
        let unsampled = Self.cause.dropLast() + "2"
        #expect(TraceContext.child(of: String(unsampled), span: span).hasSuffix("-9abcdef012345678-00"))
    }

    @Test func `begins with what it is about, where nobody traced before`() throws {
        let saga = try #require(SagaID("0198f0a2-7c00-7123-9abc-def012345678"))
        let root = TraceContext.root(saga)
        #expect(root == "00-0198f0a27c0071239abcdef012345678-9abcdef012345678-00")
        #expect(TraceContext.valid(root) == root)
        #expect(TraceContext.traceID(of: root) == "0198f0a27c0071239abcdef012345678")
    }

    @Test func `of a message that is published again is the same`() {
        let envelope = Envelope(
            id: .make(), kind: .purchaseStart, occurredAt: Date(), traceparent: Self.cause, body: Data("{}".utf8))
        let message = OutgoingMessage(envelope, to: .listeners)
        let twice = [Publication(message, from: "a"), Publication(message, from: "b")]
        #expect(twice[0].properties.headers["traceparent"] == twice[1].properties.headers["traceparent"])
        #expect(twice[0].properties.headers["traceparent"] != .string(Self.cause))
    }
}
