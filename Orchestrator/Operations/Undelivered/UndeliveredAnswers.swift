import Contracts
import FleetRuntime
import FoundationEssentials
import RabbitMQ

/// An answer that is to be sent again.
package struct DueAnswer: Sendable {
    package let message: MessageID
    package let publication: Publication

    package init(message: MessageID, publication: Publication) {
        self.message = message
        self.publication = publication
    }

    package var queue: String { publication.routingKey }
}

/// Answers that their queues have not taken; safe for many replicas at once.
package protocol UndeliveredAnswers: UndeliveredStore {
    /// Takes answers whose time has come, some of each of some queues, and keeps them from others for a while.
    func claim() async throws -> [DueAnswer]
    /// Forgets what was delivered, and lets the answers to each of the other queues wait longer.
    func settle(delivered: [DueAnswer], undelivered: [String: NonDelivery]) async throws
}

/// How long answers are kept, and how many.
package enum UndeliveredLimits {
    /// Of one claim.
    package static let queuesAtOnce = 50
    package static let answersAtOnce = 100
    /// Answers to one queue beyond this many are given up, the newest first.
    package static let perQueue = 1_000
    /// Answers to all queues together.
    package static let inAll = 100_000
    /// From one attempt to the next it takes as long as the answer has waited, within these bounds.
    package static let shortestPause = Duration.seconds(1)
    package static let longestPause = Duration.seconds(300)
    /// How long a claim keeps others away.
    package static let lease = Duration.seconds(10)
    /// How long an answer is sent again.
    package static let patience = Duration.seconds(86_400)
    /// How long it is kept in all.
    package static let retention = Duration.seconds(7 * 86_400)
}

/// Sends answers again that their queues did not take.
package struct UndeliveredRelay: PeriodicJob {
    package let name = "undelivered answers"
    /// A sweep that finds so many is followed by another at once.
    package static let batch = UndeliveredLimits.answersAtOnce

    let answers: any UndeliveredAnswers
    let outlet: any Outlet

    /// - Parameter outlet: one of its own, for some of these queues may break its connection.
    package init(_ answers: any UndeliveredAnswers, outlet: any Outlet) {
        self.answers = answers
        self.outlet = outlet
    }

    package func runOnce() async throws -> Int {
        let due = try await answers.claim()
        guard !due.isEmpty else { return 0 }
        var undelivered: [String: NonDelivery] = [:]
        var delivered: [DueAnswer] = []
        for (queue, group) in Dictionary(grouping: due, by: \.queue).sorted(by: { $0.key < $1.key }) {
            let refused = try await publish(group)
            if let reason = refused.values.first { undelivered[queue] = reason }
            delivered += group.indices.filter { refused[$0] == nil }.map { group[$0] }
        }
        await outlet.close()
        try await answers.settle(delivered: delivered, undelivered: undelivered)
        return delivered.count
    }

    /// Publishes answers to one queue, and says which were not taken.
    private func publish(_ answers: [DueAnswer]) async throws -> [Int: NonDelivery] {
        var hasLost = false
        while true {
            do {
                let refusals = try await outlet.publish(answers.map(\.publication))
                return Dictionary(refusals.map { ($0.index, NonDelivery($0.reason) ?? .broken) }) { first, _ in first }
            } catch let error as BrokerError where error.code == .closed {
                try await outlet.open()
            } catch let error as BrokerError where error.code == .connectionLost {
                // The connection is opened anew: if that can be done and it breaks again, the queue breaks it.
                try await outlet.open()
                guard !hasLost else {
                    return Dictionary(uniqueKeysWithValues: answers.indices.map { ($0, .broken) })
                }
                hasLost = true
            }
        }
    }
}
