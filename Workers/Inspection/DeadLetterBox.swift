import Contracts
import FleetRuntime
import FoundationEssentials
import Logging
import RabbitMQ
import Topology
import WireJSON

/// A message that was given up, as it lies among the dead letters of its queue.
package struct DeadLetteredMessage: Sendable {
    /// The queue that it was meant for.
    package let queue: String
    package let reason: String
    package let attempts: Int
    package let firstSeen: Date?
    package let properties: Properties
    package let body: Data

    init(_ delivery: Delivery, from queue: Queue) {
        let headers = delivery.properties.headers
        self.queue = queue.name
        let reason = headers.text(.buriedBecause) ?? Self.brokersReason(headers)
        self.reason = delivery.isCut ? "\(DeadLetterReason.tooLarge(delivery)) (\(reason))" : reason
        attempts = max(1, headers.integer(.attempt) ?? 1)
        firstSeen = headers.text(.firstSeen).flatMap(WireFormat.date)
        var properties = delivery.properties
        if delivery.isCut { properties.headers[Header.cutBodySize.rawValue] = .integer(Int64(delivery.sizeWhenSent)) }
        self.properties = properties
        body = delivery.body
    }

    /// Of what the broker buries itself, because its reader died of it again and again.
    private static func brokersReason(_ headers: FieldTable) -> String {
        guard case .string(let word) = headers["x-first-death-reason"] else { return "unexplained" }
        return "broker: \(word)"
    }
}

/// Takes dead letters out of their queues, and removes each when it is filed elsewhere.
package actor DeadLetterBox {
    /// What is taken of one queue at once, give or take a letter; the rest is for the next time.
    private static let bytesAtOnce = 8 * 1024 * 1024
    /// The names of the queues that have dead letters.
    package static let queues = Queue.all.map(\.name)

    private let administrator: Administrator
    private var isOpen = false

    package init(brokerURL: String, logger: Logger) throws {
        administrator = Administrator(
            try BrokerConfiguration(url: brokerURL, connectionName: "turnstile orchestrator: dead letters"),
            logger: logger)
    }

    /// Takes at most `limit` letters of each queue; what `file` throws on stays in its queue.
    package func empty(
        upTo limit: Int, into file: @Sendable ([DeadLetteredMessage]) async throws -> Void
    ) async throws -> Int {
        do {
            if !isOpen { try await administrator.open() }
            isOpen = true
            var count = 0
            for queue in Queue.all { count += try await empty(queue, upTo: limit, into: file) }
            return count
        } catch {
            isOpen = false
            await administrator.close()
            throw error
        }
    }

    private func empty(
        _ queue: Queue, upTo limit: Int, into file: @Sendable ([DeadLetteredMessage]) async throws -> Void
    ) async throws -> Int {
        var deliveries: [Delivery] = []
        var size = 0
        while deliveries.count < limit, size < Self.bytesAtOnce,
            let delivery = try await administrator.get(queue.dead)
        {
            deliveries.append(delivery)
            size += delivery.body.count
        }
        guard !deliveries.isEmpty else { return 0 }
        try await file(deliveries.map { DeadLetteredMessage($0, from: queue) })
        for delivery in deliveries { try await administrator.acknowledge(delivery.tag) }
        return deliveries.count
    }
}

extension Publication {
    /// A dead letter on its way back to its queue, under the id it always had.
    ///
    /// It has one attempt: if that fails, it is a dead letter again at once, with the new reason.
    package init(replaying properties: Properties, body: Data, to queue: String) {
        var properties = properties
        properties.isPersistent = true
        properties.headers = properties.headers.filter { name, value in
            if case .other = value { return false }
            return !name.hasPrefix("x-") && name != Header.buriedBecause.rawValue && name != Header.buriedFrom.rawValue
        }
        properties.headers[Header.attempt.rawValue] = .integer(Int64(BatchConsumer.Limits().attempts))
        self.init(exchange: "", routingKey: queue, isMandatory: true, properties: properties, body: body)
    }
}
