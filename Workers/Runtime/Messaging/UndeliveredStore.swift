import RabbitMQ

/// Why a queue outside the fleet has not taken a message.
package enum NonDelivery: String, Sendable, CaseIterable {
    /// The queue is full and refuses what comes.
    case refused
    /// There is no such queue.
    case noQueue = "no-queue"
    /// The broker did not say in time that the queue has it; the queue may have it all the same.
    case unanswered
    /// The broker ends the connection of whoever publishes to it.
    case broken

    /// Nil for a message that was never sent, because AMQP has no form for it.
    package init?(_ reason: Refusal.Reason) {
        guard !reason.isForEver else { return nil }
        switch reason {
        case .returned: self = .noQueue
        case .nacked: self = .refused
        case .unanswered: self = .unanswered
        }
    }
}

/// A message on its way to a queue outside the fleet, which has not taken it.
package struct UndeliveredMessage: Sendable, Equatable {
    package let publication: Publication
    package let reason: NonDelivery

    package init(_ publication: Publication, because reason: NonDelivery) {
        self.publication = publication
        self.reason = reason
    }

    /// The queue that it is for.
    package var queue: String { publication.routingKey }
}

/// Keeps answers that their queues do not take, so that nobody in the fleet waits for those queues.
package protocol UndeliveredStore: Sendable {
    /// Keeps messages until they are delivered or dropped; one that is kept already stays as it is.
    ///
    /// - Returns: how many found no room, because too many wait for their queues.
    func keep(_ messages: [UndeliveredMessage]) async throws -> Int
}
