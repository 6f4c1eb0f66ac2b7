import Connections

/// Where a lane, its ledger and its messagePublisher can be made to die.
extension FaultPoint {
    package static let taken = FaultPoint("lane.taken")
    /// Everything that follows from the batch is confirmed, and nothing is acknowledged.
    static let beforeAcknowledging = FaultPoint("lane.before-ack")
    static let acknowledged = FaultPoint("lane.acknowledged")
    package static let beforeCommit = FaultPoint("ledger.before-commit")
    package static let committed = FaultPoint("ledger.committed")
}
