import Contracts
import Foundation
import SagaCore
import Testing

@testable import Engine
@testable import OrchestratorService

/// What a process remembers of the sagas that it stored.
@Suite struct `The memory of recent sagas` {
    @Test func `answers for all that are asked for, or not at all`() {
        let memory = SagaCache<PurchaseSaga>()
        let (one, other) = (saga(), saga())
        memory.remember([one])
        #expect(memory.records(of: [one.id])?.keys.sorted() == [one.id])
        #expect(memory.records(of: [one.id, other.id]) == nil)
        memory.remember([other])
        #expect(memory.records(of: [one.id, other.id])?.count == 2)
    }

    @Test func `keeps the newest version, and nothing of a saga that waits for nothing`() {
        let memory = SagaCache<PurchaseSaga>()
        var record = saga()
        memory.remember([record])
        record.version = 2
        memory.remember([record])
        #expect(memory.records(of: [record.id])?[record.id]?.version == 2)
        #expect(memory.knowledge(of: record.id, at: 2) != nil)
        #expect(memory.knowledge(of: record.id, at: 1) == nil)
        record.wakeAt = nil
        memory.remember([record])
        #expect(memory.records(of: [record.id]) == nil)
    }

    @Test func `forgets those that began first beyond its capacity`() {
        let memory = SagaCache<PurchaseSaga>(capacity: 3)
        let sagas = (0..<5).map { _ in saga() }
        memory.remember(Array(sagas[..<3]))
        // Being stored again makes nobody younger.
        memory.remember([sagas[0]])
        memory.remember(Array(sagas[3...]))
        #expect(sagas.map { memory.records(of: [$0.id]) != nil } == [false, false, true, true, true])
    }

    @Test func `is silent for a while after it proved old, and then tried again`() {
        let memory = SagaCache<PurchaseSaga>()
        let record = saga()
        memory.remember([record])
        memory.doubt()
        let answers = (0..<100).map { _ in memory.records(of: [record.id]) != nil }
        #expect(answers.firstIndex(of: true) == 64)
        #expect(answers.suffix(36).allSatisfy { $0 })
    }

    private func saga() -> SagaRecord<PurchaseSaga> {
        SagaRecord(
            id: .make(), version: 1, step: 1, state: .reserving, facts: PurchaseFacts(),
            request: PurchaseRequest(
                userId: "anna", eventId: .make(), tier: "floor", quantity: 1, seats: nil,
                amount: Money(currency: "CHF", minor: 100), paymentMethod: "sim_ok", email: nil, holdSeconds: 60,
                replyTo: nil, correlationID: nil),
            wakeAt: Date(), dueAt: Date(), attempts: 0, needsAttention: nil, traceparent: nil)
    }
}
