import Connections

/// Where the engine can be made to die, beside the lanes' own places.
extension FaultPoint {
    /// The sagas of new purchases are in their table, or go there with the commit, and are not committed.
    static let startsInserted = FaultPoint("start.before-commit")
    /// They are committed; neither the buyer nor the broker has heard of it.
    package static let startsCommitted = FaultPoint("start.committed")
    static let awoken = FaultPoint("watchdog.committed")
}
