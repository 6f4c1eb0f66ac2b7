import Contracts
import Crypto
import FleetInspection
import FoundationEssentials
import RabbitMQ

/// What has become of a dead letter.
package enum DeadLetterState: String, Codable, Sendable, CaseIterable {
    case waiting
    /// Sent back to its queue.
    case replayed
    /// Given up; it can be brought back for `DeadLetterStore.keptDays`.
    case dropped
}

/// Dead letters that failed in the same way.
package struct DeadLetterGroup: Codable, Sendable {
    package let queue: String
    package let group: String
    package let kind: String?
    package let count: Int
    package let firstSeen: Date
    package let lastSeen: Date
    package let reason: String
}

/// One dead letter in a list.
package struct DeadLetterSummary: Codable, Sendable {
    package let letter: DeadLetterID
    package let queue: String
    package let group: String
    package let kind: String?
    package let messageId: String?
    package let sagaId: SagaID?
    package let reason: String
    package let attempts: Int
    package let times: Int
    package let state: DeadLetterState
    package let firstSeen: Date
    package let lastSeen: Date
}

/// One dead letter whole.
package struct DeadLetterDetail: Codable, Sendable {
    package let summary: DeadLetterSummary
    /// Who sent it, and how: the message's properties by their AMQP names, as far as it had any.
    package let properties: [String: String]
    package let headers: [String: String]
    /// The body as it came; what is not UTF-8 shows as replacement characters.
    package let body: String
}

/// Which dead letters an operator means.
package struct DeadLetterChoice: Sendable {
    package var state = DeadLetterState.waiting
    package var queue: String
    package var group: String?
    package var letters: [DeadLetterID]?
    package var limit: Int

    package init(queue: String, group: String?, letters: [DeadLetterID]?, limit: Int) {
        self.queue = queue
        self.group = group
        self.letters = letters
        self.limit = limit
    }
}

/// What an operator is about to touch.
package struct DeadLetterImpact: Codable, Sendable {
    package let letters: Int
    package let sagas: [SagaID]
    package let amounts: [Money]
}

/// A message on its way into the file.
struct NewDeadLetter {
    let message: DeadLetteredMessage
    let sagaID: SagaID?
    let identity: Data
    let fingerprint: String

    init(_ message: DeadLetteredMessage) {
        self.message = message
        sagaID = message.properties.correlationID.flatMap { SagaID($0) }
        var hash = SHA256()
        hash.update(data: Data((message.properties.messageID ?? "").utf8))
        hash.update(data: message.body)
        identity = Data(hash.finalize())
        fingerprint = Failure.fingerprint(
            queue: message.queue, kind: message.properties.type, reason: message.reason)
    }
}
