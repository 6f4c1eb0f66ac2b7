import Contracts
import Engine
import FleetRuntime
import FleetStorage
import Foundation
import Logging
import OrchestratorService
import Postgres
import SagaCore
import Simulation
import Testing

@Suite struct `A start` {
    /// Between two statements under READ COMMITTED, the purchase that stood in the way may have ended.
    @Test func `is tried again when what stood in its way has gone before it could be named`() {
        let universe = Universe(seed: 1, recorded: false)
        let database = MemoryDatabase("orchestrator", OrchestratorTables<PurchaseSaga>())
        let isOver = universe.run {
            let process = Incarnation("test", in: universe) {}
            let runner = SagaRunner(
                store: LostConflicts(inner: MemorySagaStore(MemorySession(database, process))),
                patience: RetryPolicy(stepTimeout: .seconds(1), attempts: 3), logger: Logger(label: "test"))
            await #expect(throws: DuplicateMessage.self) { _ = try await runner.start([wish()]) }
        }
        #expect(isOver)
        #expect(database.tables.sagas.isEmpty && database.tables.journal.isEmpty)
    }

    private func wish() -> StartRequest<PurchaseSaga> {
        let request = PurchaseRequest(
            userId: "anna", eventId: .make(), tier: "floor", quantity: 1, seats: nil,
            amount: Money(currency: "CHF", minor: 1), paymentMethod: "sim_ok", email: nil, holdSeconds: 60,
            replyTo: nil, correlationID: nil)
        let claim = StartClaim(key: "k", fingerprint: Data(), intent: "i", eventID: request.eventId, userID: "anna")
        return StartRequest(
            id: .make(), messageID: .make(), input: .start, request: request, claim: claim, traceparent: nil)
    }
}

/// A store in which new sagas are refused by others that nobody sees any more.
private struct LostConflicts: SagaStore {
    typealias Definition = PurchaseSaga
    typealias Transaction = MemoryTransaction<OrchestratorTables<PurchaseSaga>>

    let inner: MemorySagaStore<PurchaseSaga>

    func transact<R: Sendable>(_ body: (Transaction) async throws -> R) async throws -> R {
        try await inner.transact(body)
    }

    func lock(
        _ sagas: [SagaID], _ messages: [JournalKey], in transaction: Transaction
    ) async throws -> LockedSagas<PurchaseSaga> {
        try await inner.lock(sagas, messages, in: transaction)
    }

    func recall(_ sagas: [SagaID]) -> [SagaID: SagaRecord<PurchaseSaga>]? { nil }

    func begin(
        _ sagas: [NewSaga<PurchaseSaga>], _ journal: [JournalEntry<PurchaseSaga>], in transaction: Transaction
    ) async throws {
        throw DuplicateMessage()
    }

    func insert(_ sagas: [NewSaga<PurchaseSaga>], in transaction: Transaction) async throws -> SagaInsertion {
        SagaInsertion(added: [])
    }

    func reject(_ starts: [RequestRecord], in transaction: Transaction) async throws {
        try await inner.reject(starts, in: transaction)
    }

    func putOff(after pause: Duration, because reason: String) async throws -> Bool {
        try await inner.putOff(after: pause, because: reason)
    }

    func save(
        _ changes: [SagaChange<PurchaseSaga>], _ journal: [JournalEntry<PurchaseSaga>], in transaction: Transaction
    ) async throws {
        try await inner.save(changes, journal, in: transaction)
    }

    func due(_ limit: Int, in transaction: Transaction) async throws -> LockedSagas<PurchaseSaga> {
        try await inner.due(limit, in: transaction)
    }
}
