import Contracts
import FleetRuntime
import Postgres

/// Where charges are kept, as the worker sees it.
package protocol ChargeStore<Transaction>: Sendable {
    associatedtype Transaction: Sendable
    /// Adds the charges whose sagas have none yet, and names those sagas.
    ///
    /// What is not finished falls due after `pause`.
    func add(_ charges: [Charge], dueAfter pause: Duration, in transaction: Transaction) async throws -> Set<SagaID>
    /// Adds charges likewise, as the last act of the transaction, and commits it.
    func open(_ charges: [Charge], dueAfter pause: Duration, in transaction: Transaction) async throws -> Set<SagaID>
    /// Reads charges as they stand, and keeps others from changing them until the transaction ends.
    func find(_ sagas: [SagaID], in transaction: Transaction) async throws -> [Charge]
    /// Makes the changes that still start from what stands, names their sagas, and notes the attempts in any case.
    func apply(
        _ changes: [ChargeChange], noting attempts: [AttemptNote], in transaction: Transaction
    ) async throws -> Set<SagaID>
    /// Makes all of the changes, here or with the commit, and notes the attempts.
    /// - Throws: `OptimisticLockFailure` when one of the charges does not stand any more as it was read; then nothing is written.
    func applyAll(_ changes: [ChargeChange], noting attempts: [AttemptNote], in transaction: Transaction) async throws
    /// Writes answers into the inbox rows of commands that were handled without one.
    func amend(_ answers: [HandledMessage], in transaction: Transaction) async throws
}

/// Charges that fall due, as the sweep sees them; replicas share them.
package protocol DueCharges<Transaction>: ChargeStore {
    /// Takes charges that are due, and keeps them from other replicas for the time of the lease.
    func claim(_ limit: Int, for lease: Duration, in transaction: Transaction) async throws -> [Charge]
    /// Ends the checks of charges whose answers are sent, unless they have changed since.
    func settle(_ charges: [Charge], in transaction: Transaction) async throws
}

/// A change of one charge, made only if it still stands as it was read.
package struct ChargeChange: Sendable, Equatable {
    package let from: Charge
    package let to: Charge
    /// When it is looked at again; nil for one that is finished and answered.
    package let dueAfter: Duration?

    package init(from: Charge, to: Charge, dueAfter: Duration?) {
        self.from = from
        self.to = to
        self.dueAfter = dueAfter
    }
}
