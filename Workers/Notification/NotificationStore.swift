import Contracts
import FoundationEssentials
import Postgres

/// Where a letter stands when a command asks for it.
package enum Standing: Sendable, Equatable {
    /// To be delivered now, by whoever asked; the attempt of this number is recorded.
    case ours(attempt: Int)
    /// Another desk is delivering it, at most for this time.
    case elsewhere(Duration)
    case delivered(channel: String)
    case failed(reason: String)
}

/// What became of one attempt.
package struct AttemptReport: Sendable, Equatable {
    package let key: LetterKey
    package let number: Int
    package let result: DeliveryResult

    package init(key: LetterKey, number: Int, result: DeliveryResult) {
        self.key = key
        self.number = number
        self.result = result
    }
}

/// The record of letters and attempts.
package protocol NotificationStore<Transaction>: Sendable {
    associatedtype Transaction: Sendable
    /// Records an attempt for every letter that is neither settled nor in other hands; says where each one stands.
    func begin(
        _ letters: [RenderedMessage], through channel: String, by desk: UUID, for lease: Duration,
        in transaction: Transaction
    ) async throws -> [LetterKey: Standing]
    /// Records how attempts ended; a letter whose attempt failed stays open.
    func conclude(_ reports: [AttemptReport], through channel: String, in transaction: Transaction) async throws
}
