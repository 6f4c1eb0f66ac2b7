import Contracts
import FoundationEssentials
import Postgres

/// Names one timer; there is one per saga and subject.
package struct TimerKey: Sendable, Hashable {
    package let sagaID: SagaID
    package let subject: String

    package init(sagaID: SagaID, subject: String) {
        self.sagaID = sagaID
        self.subject = subject
    }
}

/// A timer with what its reply will need of the command that asked for it.
package struct FleetTimer: Sendable, Equatable {
    package let key: TimerKey
    package let dueAt: Date
    package let step: Int?
    package let commandID: MessageID
    package let traceparent: String?

    package init(key: TimerKey, dueAt: Date, step: Int?, commandID: MessageID, traceparent: String?) {
        self.key = key
        self.dueAt = dueAt
        self.step = step
        self.commandID = commandID
        self.traceparent = traceparent
    }
}

/// Where wanted and unwanted timers are noted, within the transaction of the commands that name them.
package protocol TimerStore<Transaction>: Sendable {
    associatedtype Transaction: Sendable
    /// Schedules the wanted timers unless they are known, then cancels the unwanted ones unless they have fired.
    ///
    /// A cancelled timer stays so, also when its schedule comes later; a known timer does not move.
    func note(wanted: [FleetTimer], unwanted: [TimerKey], in transaction: Transaction) async throws
}

/// The timers by the clock of whoever keeps them; safe for many replicas at once.
package protocol TimerClock: Sendable {
    /// Takes at most `limit` due timers, the longest due first, and keeps them from others for the time of `lease`.
    func claimDue(_ limit: Int, for lease: Duration) async throws -> [FleetTimer]
    /// Ends timers whose elapsing has been told.
    func markFired(_ keys: [TimerKey]) async throws
    /// Forgets at most `limit` timers that ended longer ago than `retention`; returns how many.
    func forgetEnded(_ limit: Int, after retention: Duration) async throws -> Int
}
