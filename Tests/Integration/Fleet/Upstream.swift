import Connections
import Contracts
import Foundation
import Logging
import RabbitMQ
import TestKit
import Testing
import Topology

/// An upstream system: it publishes commands and reads the answers in a queue of its own.
struct Upstream: Sendable {
    let publisher: Publisher
    let consumer: Consumer
    let administrator: Administrator
    let queue: String

    /// Publishes a body as it is; nil leaves a property out.
    func publish(
        _ body: Data, kind: String?, messageID: String?, replyTo: String? = nil, correlationID: String? = nil,
        contentType: String? = "application/json", headers: FieldTable = [:]
    ) async throws {
        let properties = Properties(
            messageID: messageID, correlationID: correlationID, type: kind, replyTo: replyTo,
            contentType: contentType, headers: headers)
        let refusals = try await publisher.publish([
            Publication(
                exchange: "turnstile.commands", routingKey: "orchestrator", isMandatory: true,
                properties: properties, body: body)
        ])
        #expect(refusals.isEmpty)
    }

    func start(_ event: EventID, messageID: String, user: String = uniqueUser(), _ wish: String = #""quantity":1"#)
        async throws
    {
        try await publish(
            Data(#"{"userId":"\#(user)","eventId":"\#(event)",\#(wish)}"#.utf8), kind: "purchase.start.v1",
            messageID: messageID, replyTo: queue, correlationID: "order-\(messageID)")
    }

    /// Gets the events of this kind in its queue too.
    func listen(to kind: String) async throws {
        try await administrator.bindQueue(queue, to: "turnstile.events", routingKey: kind)
    }

    /// The next answers, until there are `count`.
    func answers(_ count: Int) async throws -> [Delivery] {
        var answers: [Delivery] = []
        while answers.count < count {
            let batch = try await consumer.take(upTo: count - answers.count)
            answers += batch
            if let last = batch.last { try await consumer.acknowledge(through: last.tag) }
        }
        return answers
    }

    /// Waits for the next dead letter of a queue.
    func deadLetter(of queue: Queue = .orchestratorCommands) async throws -> Delivery {
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            if let delivery = try await administrator.get(queue.dead) {
                try await administrator.acknowledge(delivery.tag)
                return delivery
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw NothingBuried()
    }
}

struct NothingBuried: Error {}

extension Delivery {
    var buriedBecause: String {
        if case .string(let reason) = properties.headers["buried-because"] { reason } else { "" }
    }
}

extension TestFleet {
    func withUpstream(_ body: (Upstream) async throws -> Void) async throws {
        let configuration = try BrokerConfiguration(url: brokerURL)
        let administrator = Administrator(configuration, logger: logger)
        try await administrator.open()
        let queue = uniqueName("upstream")
        try await administrator.declareQueue(queue, arguments: ["x-queue-type": .string("quorum")])
        let publisher = Publisher(configuration, logger: logger)
        try await publisher.open()
        let consumer = Consumer(configuration, queue: queue, prefetch: 100, logger: logger)
        try await consumer.open()
        try await body(
            Upstream(publisher: publisher, consumer: consumer, administrator: administrator, queue: queue))
        await consumer.close()
        await publisher.close()
        await administrator.close()
    }
}
