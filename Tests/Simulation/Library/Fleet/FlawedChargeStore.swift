import Contracts
import FleetRuntime
import FoundationEssentials
import Payment
import Postgres

/// The books of payments, with or without a flaw.
struct FlawedChargeStore: DueCharges {
    typealias Transaction = MemoryTransaction<PaymentTables>

    private let inner = MemoryChargeStore()
    private let flaw: ChargeFlaw

    init(_ flaw: ChargeFlaw) {
        self.flaw = flaw
    }

    func add(
        _ charges: [Charge], dueAfter pause: Duration, in transaction: Transaction
    ) async throws -> Set<SagaID> {
        try await inner.add(charges, dueAfter: pause, in: transaction)
    }

    func open(
        _ charges: [Charge], dueAfter pause: Duration, in transaction: Transaction
    ) async throws -> Set<SagaID> {
        try await inner.open(charges, dueAfter: pause, in: transaction)
    }

    func find(_ sagas: [SagaID], in transaction: Transaction) async throws -> [Charge] {
        try await inner.find(sagas, in: transaction)
    }

    func apply(
        _ changes: [ChargeChange], noting attempts: [AttemptNote], in transaction: Transaction
    ) async throws -> Set<SagaID> {
        guard case .blindChanges = flaw else {
            return try await inner.apply(changes, noting: attempts, in: transaction)
        }
        let now = transaction.now
        return try await transaction.write(locking: []) { tables in
            for change in changes {
                tables.charges[change.to.sagaID] = .init(
                    charge: change.to, dueAt: change.dueAfter.map { now.addingTimeInterval($0.seconds) })
            }
            return Set(changes.map(\.to.sagaID))
        }
    }

    func amend(_ answers: [HandledMessage], in transaction: Transaction) async throws {
        try await inner.amend(answers, in: transaction)
    }

    func claim(_ limit: Int, for lease: Duration, in transaction: Transaction) async throws -> [Charge] {
        if case .nothingDue = flaw { return [] }
        return try await inner.claim(limit, for: lease, in: transaction)
    }

    func settle(_ charges: [Charge], in transaction: Transaction) async throws {
        try await inner.settle(charges, in: transaction)
    }
}
