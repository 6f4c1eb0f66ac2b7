import Connections

/// Where the orchestrator can be made to die, beside its lanes' own places.
extension FaultPoint {
    /// The sagas of new purchases are in their table, or go there with the commit, and are not committed.
    static let startsInserted = FaultPoint("start.before-commit")
    /// They are committed; neither the buyer nor the broker has heard of it.
    static let startsCommitted = FaultPoint("start.committed")
    static let awoken = FaultPoint("watchdog.committed")
    static let outboxClaimed = FaultPoint("outbox.claimed")
    static let outboxConfirmed = FaultPoint("outbox.confirmed")
}
