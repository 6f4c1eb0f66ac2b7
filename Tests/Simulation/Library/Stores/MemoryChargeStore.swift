import Contracts
import FleetRuntime
import FoundationEssentials
import Payment
import Postgres

/// Charges in memory, with the locks of the schema `payment`.
package struct MemoryChargeStore: DueCharges {
    package typealias Transaction = MemoryTransaction<PaymentTables>

    package init() {}

    package func add(
        _ charges: [Charge], dueAfter pause: Duration, in transaction: Transaction
    ) async throws -> Set<SagaID> {
        let dueAt = transaction.now.addingTimeInterval(pause.seconds)
        return try await transaction.write(locking: charges.map(\.row)) { tables in
            var added: Set<SagaID> = []
            for charge in charges where tables.charges[charge.sagaID] == nil {
                tables.charges[charge.sagaID] = .init(charge: charge, dueAt: charge.state == .open ? dueAt : nil)
                added.insert(charge.sagaID)
            }
            return added
        }
    }

    package func open(
        _ charges: [Charge], dueAfter pause: Duration, in transaction: Transaction
    ) async throws -> Set<SagaID> {
        let added = try await add(charges, dueAfter: pause, in: transaction)
        try await transaction.commit()
        return added
    }

    package func find(_ sagas: [SagaID], in transaction: Transaction) async throws -> [Charge] {
        let sagas = sagas.sorted()
        return try await transaction.read(locking: sagas.map { .id(.charge, $0.uuid) }) { tables in
            sagas.compactMap { tables.charges[$0]?.charge }
        }
    }

    package func apply(
        _ changes: [ChargeChange], noting attempts: [AttemptNote], in transaction: Transaction
    ) async throws -> Set<SagaID> {
        let now = transaction.now
        return try await transaction.write(locking: changes.map(\.to.row)) { tables in
            tables.attempts += attempts
            var made: Set<SagaID> = []
            for change in changes {
                guard let row = tables.charges[change.to.sagaID], row.charge.standsLike(change.from) else { continue }
                tables.charges[change.to.sagaID] = .init(
                    charge: Charge(
                        sagaID: change.to.sagaID, terms: row.charge.terms, state: change.to.state,
                        attempts: change.to.attempts, owed: change.to.owed),
                    dueAt: change.dueAfter.map { now.addingTimeInterval($0.seconds) })
                made.insert(change.to.sagaID)
            }
            return made
        }
    }

    package func amend(_ answers: [HandledMessage], in transaction: Transaction) async throws {
        try await transaction.write(locking: answers.map { .id(.inbox, $0.id.uuid) }) { tables in
            for answer in answers where tables.inbox[answer.id] != nil { tables.inbox[answer.id] = answer.replies }
        }
    }

    package func claim(
        _ limit: Int, for lease: Duration, in transaction: Transaction
    ) async throws -> [Charge] {
        let now = transaction.now
        let due = try await transaction.claim(
            { tables in
                tables.charges.values.filter { $0.dueAt.map { $0 <= now } ?? false }
                    .sorted { ($0.dueAt ?? now, $0.charge.sagaID) < ($1.dueAt ?? now, $1.charge.sagaID) }
                    .map(\.charge)
            }, key: \.row, limit: limit)
        return try await transaction.write(locking: due.map(\.row)) { tables in
            due.compactMap { charge in
                tables.charges[charge.sagaID]?.dueAt = now.addingTimeInterval(lease.seconds)
                return tables.charges[charge.sagaID]?.charge
            }
        }
    }

    package func settle(_ charges: [Charge], in transaction: Transaction) async throws {
        try await transaction.write(locking: charges.map(\.row)) { tables in
            for charge in charges where tables.charges[charge.sagaID]?.charge.standsLike(charge) ?? false {
                tables.charges[charge.sagaID]?.dueAt = nil
            }
        }
    }
}

extension ChargeStore where Transaction == MemoryTransaction<PaymentTables> {
    package func applyAll(
        _ changes: [ChargeChange], noting attempts: [AttemptNote], in transaction: Transaction
    ) async throws {
        guard try await apply(changes, noting: attempts, in: transaction).count == changes.count else {
            throw OptimisticLockFailure()
        }
    }
}

extension Charge {
    fileprivate var row: RowKey { .id(.charge, sagaID.uuid) }
}

extension Duration {
    var seconds: TimeInterval {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
