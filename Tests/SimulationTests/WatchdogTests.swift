import Connections
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

@Suite struct `The watchdog` {
    @Test func `puts a saga off that makes no sense, and wakes all others`() {
        let universe = Universe(seed: 1, recorded: false)
        let database = MemoryDatabase("orchestrator", OrchestratorTables<PurchaseSaga>())
        let broker = MemoryBroker(universe)
        let isOver = universe.run {
            let process = Incarnation("test", in: universe) {}
            await RuntimeEnvironment.$simulated.withValue(process) {
                await Self.play(universe, process, database, broker)
            }
            process.die()
        }
        #expect(isOver)
        #expect(universe.violations == [])
    }

    private static func play(
        _ universe: Universe, _ process: Incarnation, _ database: MemoryDatabase<OrchestratorTables<PurchaseSaga>>,
        _ broker: MemoryBroker
    ) async {
        let inner = MemorySagaStore<PurchaseSaga>(MemorySession(database, process))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let patience = RetryPolicy(stepTimeout: .seconds(1), attempts: 3)
        do {
            let starter = SagaRunner(store: inner, patience: patience, logger: logger)
            let begun = try await starter.start((0..<9).map(Self.wish)).compactMap {
                if case .started(let saga, _, _) = $0 { saga } else { nil }
            }
            await universe.timeline.wait(for: .seconds(5))
            let watchdog = Watchdog(
                SagaRunner(
                    store: UnreadableSaga(inner: inner, poison: begun[4]), patience: patience, logger: logger),
                messagePublisher: MessagePublisher(
                    outlet: MemoryOutlet(broker, process), application: "test", health: HealthRegistry(),
                    logger: logger),
                limit: 8)
            for _ in 0..<8 { _ = try await watchdog.runOnce() }
            let sagas = database.tables.sagas
            for saga in begun {
                let record = sagas[saga]?.record
                if saga == begun[4] {
                    #expect(record?.needsAttention?.contains("cannot wake it") ?? false)
                    #expect(record?.attempts == 0)
                } else {
                    #expect(record?.attempts == 1, "\(saga)")
                    #expect(record?.needsAttention == nil)
                }
            }
        } catch {
            universe.condemn("\(error)")
        }
    }

    private static func wish(_ number: Int) -> StartRequest<PurchaseSaga> {
        let request = PurchaseRequest(
            userId: "anna", eventId: .make(), tier: "floor", quantity: 1, seats: nil,
            amount: Money(currency: "CHF", minor: 1), paymentMethod: "sim_ok", email: nil, holdSeconds: 60,
            replyTo: nil, correlationID: nil)
        let claim = StartClaim(
            key: "k\(number)", fingerprint: Data(), intent: "i\(number)", eventID: request.eventId, userID: "anna")
        return StartRequest(
            id: .make(), messageID: .make(), input: .start, request: request, claim: claim, traceparent: nil)
    }
}

/// A store in which one saga's row cannot be read.
private struct UnreadableSaga: SagaStore {
    typealias Definition = PurchaseSaga
    typealias Transaction = MemoryTransaction<OrchestratorTables<PurchaseSaga>>

    struct Unreadable: Error {}

    let inner: MemorySagaStore<PurchaseSaga>
    let poison: SagaID

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
        try await inner.begin(sagas, journal, in: transaction)
    }

    func insert(_ sagas: [NewSaga<PurchaseSaga>], in transaction: Transaction) async throws -> SagaInsertion {
        try await inner.insert(sagas, in: transaction)
    }

    func reject(_ starts: [RequestRecord], in transaction: Transaction) async throws {
        try await inner.reject(starts, in: transaction)
    }

    func save(
        _ changes: [SagaChange<PurchaseSaga>], _ journal: [JournalEntry<PurchaseSaga>], in transaction: Transaction
    ) async throws {
        try await inner.save(changes, journal, in: transaction)
    }

    func due(_ limit: Int, in transaction: Transaction) async throws -> LockedSagas<PurchaseSaga> {
        let due = try await inner.due(limit, in: transaction)
        guard due.sagas[poison] == nil else { throw Unreadable() }
        return due
    }

    func putOff(after pause: Duration, because reason: String) async throws -> Bool {
        try await inner.putOff(after: pause, because: reason)
    }
}
