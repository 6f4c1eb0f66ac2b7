import Contracts
import FleetStorage
import Foundation
import OrchestratorService
import Postgres
import SagaCore
import Simulation
import TestKit
import Testing

@Suite struct `A record of requests` {
    @Test func `in memory keeps its promises`() throws {
        try inMemory { process in
            let database = MemoryDatabase("orchestrator", OrchestratorTables<PurchaseSaga>())
            try await keepPromises(MemoryRequestStore(MemorySession(database, process)))
        }
    }

    @Test(.enabled(if: TestServers.haveDatabase)) func `in PostgreSQL keeps its promises, and forgets in time`()
        async throws
    {
        try await withTestDatabase([
            (.reservation, []), (.orchestrator, OrchestratorService.migrations),
        ]) { database in
            let store = PostgresRequestStore(database.connection(as: .orchestrator))
            try await keepPromises(store)
            let rejected = request(answer: .rejected(problem))
            let begun = request(kind: .purchaseStart, answer: .accepted)
            _ = try await store.take([rejected, begun])
            #expect(try await store.forget() == 0)
            let owner = database.owner()
            try await owner.script("UPDATE orchestrator.request SET forget_at = forget_at - interval '8 days'")
            await owner.close()
            #expect(try await store.forget() > 0)
            let again = rejected.answered(.accepted)
            #expect(try await store.take([again, begun.answered(.rejected(problem))]) == [again, begun])
        }
    }
}

private let problem = Problem(.soldOut, "nothing is left \"here\"", sagaId: fresh())

private func request(
    _ key: String = "amqp:\(fresh(MessageID.self))", kind: MessageKind = .purchaseCancel, _ fingerprint: UInt8 = 1,
    answer: RequestRecord.Answer = .pending
) -> RequestRecord {
    RequestRecord(
        key: key, kind: kind, fingerprint: Data([fingerprint]), subject: answer == .accepted ? UUID() : nil,
        answer: answer)
}

private func keepPromises(_ store: any RequestStore) async throws {
    try await `an id is taken once, by whatever request came first`(store)
    try await `the first answer to an id stands`(store)
    try await `of two requests under one id in a batch the first has it`(store)
}

private func `an id is taken once, by whatever request came first`(_ store: any RequestStore) async throws {
    let first = request()
    #expect(try await store.take([first]) == [first])
    let other = request(first.key, kind: .eventPublish, 2, answer: .rejected(problem))
    let free = request()
    #expect(try await store.take([other, free]) == [first, free])
    #expect(try await store.take([]) == [])
}

private func `the first answer to an id stands`(_ store: any RequestStore) async throws {
    let (pending, rejected) = (request(), request(answer: .rejected(problem)))
    _ = try await store.take([pending, rejected])
    try await store.answer([pending.answered(.accepted), rejected.answered(.accepted)])
    try await store.answer([pending.answered(.rejected(problem))])
    #expect(try await store.take([pending, rejected]) == [pending.answered(.accepted), rejected])
}

private func `of two requests under one id in a batch the first has it`(_ store: any RequestStore) async throws {
    let first = request()
    #expect(try await store.take([first, request(first.key, 2), first]) == [first, first, first])
}
