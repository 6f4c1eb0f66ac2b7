import Contracts
import FleetRuntime
import Foundation
import Logging
import RabbitMQ
import Simulation
import TestKit
import Testing
import Topology

@Suite struct `A broker` {
    @Test func `in memory keeps its promises`() throws {
        try inMemory { process in
            let broker = MemoryBroker(process.universe)
            try await keepPromises(
                inlet: { MemoryInlet(broker, queue: $0, process) }, outlet: { MemoryOutlet(broker, process) })
        }
    }

    @Test(.enabled(if: TestServers.haveAll), .timeLimit(.minutes(1)))
    func `in RabbitMQ keeps its promises`() async throws {
        try await withTestBroker { url in
            let configuration = try BrokerConfiguration(url: url)
            var logger = Logger(label: "test")
            logger.logLevel = .error
            try await TopologyDeclarer(configuration, logger: logger).apply()
            try await keepPromises(
                inlet: { [logger] in
                    QueueInlet(Consumer(configuration, queue: $0, prefetch: 100, logger: logger))
                },
                outlet: { [logger] in Publisher(configuration, logger: logger) })
        }
    }
}

private let work = Queue.commands(of: .expiry)

/// What every broker promises its lanes while it works.
private func keepPromises<In: Inlet, Out: Outlet>(
    inlet: (String) -> In, outlet: () -> Out
) async throws {
    let publisher = outlet()
    let consumer = inlet(work.name)
    #expect((await failure { _ = try await publisher.publish([command()]) } as? BrokerError)?.code == .closed)
    try await publisher.open()
    try await consumer.open()
    try await `what was published comes whole and in order`(publisher, consumer)
    try await `what nobody can take comes back`(publisher)
    try await `what was not acknowledged comes again`(publisher, inlet)
    try await `a retry comes back after its pause`(publisher, inlet)
    await consumer.close()
    await publisher.close()
}

private func command(_ id: MessageID = fresh()) throws -> Publication {
    let envelope = try Envelope(
        id: id, CancelTimer(subject: "hold"), sagaID: fresh(), step: 4, causationID: fresh(), occurredAt: moment)
    return Publication(OutgoingMessage(envelope, to: .owner), from: "test")
}

/// Takes until so many have come.
private func take(_ count: Int, from inlet: some Inlet) async throws -> [Delivery] {
    var taken: [Delivery] = []
    while taken.count < count { taken += try await inlet.take(upTo: count - taken.count, notBefore: nil) }
    return taken
}

private func `what was published comes whole and in order`(
    _ publisher: some Outlet, _ consumer: some Inlet
) async throws {
    let sent = try (0..<5).map { _ in try command() }
    #expect(try await publisher.publish(sent).isEmpty)
    let taken = try await take(5, from: consumer)
    #expect(taken.map(\.properties.messageID) == sent.map(\.properties.messageID))
    #expect(taken.map(\.body) == sent.map(\.body))
    #expect(taken.map(\.properties.headers) == sent.map(\.properties.headers))
    #expect(taken.allSatisfy { !$0.isRedelivered })
    try await consumer.acknowledge(through: taken[4].tag)
    await consumer.close()
    // Nothing that was acknowledged comes again.
    try await consumer.open()
    let last = try command()
    _ = try await publisher.publish([last])
    let next = try await take(1, from: consumer)
    #expect(next[0].properties.messageID == last.properties.messageID)
    try await consumer.acknowledge(through: next[0].tag)
    await consumer.close()
}

private func `what nobody can take comes back`(_ publisher: some Outlet) async throws {
    let nowhere = Publication(
        exchange: "", routingKey: "nobody.here", isMandatory: true, properties: Properties(messageID: "1"), body: Data()
    )
    var indifferent = nowhere
    indifferent.isMandatory = false
    let refusals = try await publisher.publish([try command(), nowhere, indifferent])
    #expect(refusals.map(\.index) == [1])
    guard case .returned(let code, _)? = refusals.first?.reason else {
        Issue.record("the message was not returned")
        return
    }
    #expect(code == 312)
}

private func `what was not acknowledged comes again`<In: Inlet>(
    _ publisher: some Outlet, _ inlet: (String) -> In
) async throws {
    let first = inlet(work.name)
    try await first.open()
    // The command that the promise before has left.
    let old = try await take(1, from: first)
    try await first.acknowledge(through: old[0].tag)
    let sent = try (0..<3).map { _ in try command() }
    _ = try await publisher.publish(sent)
    let taken = try await take(3, from: first)
    try await first.acknowledge(through: taken[0].tag)
    await first.close()
    let second = inlet(work.name)
    try await second.open()
    let again = try await take(2, from: second)
    #expect(Set(again.map(\.properties.messageID)) == Set(sent.dropFirst().map(\.properties.messageID)))
    #expect(again.map(\.isRedelivered) == [true, true])
    try await second.acknowledge(through: again[1].tag)
    await second.close()
}

private func `a retry comes back after its pause`<In: Inlet>(
    _ publisher: some Outlet, _ inlet: (String) -> In
) async throws {
    let consumer = inlet(work.name)
    try await consumer.open()
    var waiting = try command()
    waiting.exchange = ""
    waiting.routingKey = work.retry(.second)
    let sent = [waiting, try command()]
    _ = try await publisher.publish(sent)
    let taken = try await take(2, from: consumer)
    #expect(taken.map(\.properties.messageID) == [sent[1], sent[0]].map(\.properties.messageID))
    try await consumer.acknowledge(through: taken[1].tag)
    await consumer.close()
}
