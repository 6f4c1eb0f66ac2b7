import Contracts
import FleetRuntime
import Foundation
import Operations
import OrchestratorService
import Postgres
import RabbitMQ
import SagaCore
import Simulation
import TestKit
import Testing

@Suite struct `A store of undelivered answers` {
    @Test func `in memory keeps its promises`() throws {
        try inMemory { process in
            let database = MemoryDatabase("orchestrator", OrchestratorTables<PurchaseSaga>())
            let answers = MemoryUndeliveredAnswers(MemorySession(database, process))
            try await keepPromises(answers) { pause in await process.universe.timeline.wait(for: pause) }
        }
    }

    @Test(.enabled(if: TestServers.haveDatabase)) func `in PostgreSQL keeps its promises`() async throws {
        try await withTestDatabase([(.orchestrator, OrchestratorService.migrations)]) { database in
            let pool = database.pool(as: .orchestrator)
            let owner = database.owner()
            try await keepPromises(PostgresUndeliveredAnswers(pool)) { pause in
                let (seconds, _) = pause.components
                _ = try await owner.execute(
                    """
                    UPDATE orchestrator.undelivered_answer SET since = since - make_interval(secs => $1),
                        due_at = due_at - make_interval(secs => $1)
                    """, [Double(seconds)])
            }
            await owner.close()
            await pool.close()
        }
    }
}

private func undelivered(to queue: String) -> UndeliveredMessage {
    let id: MessageID = fresh()
    return UndeliveredMessage(
        Publication(
            exchange: "", routingKey: queue, isMandatory: true,
            properties: Properties(
                messageID: id.description, correlationID: "order", type: "purchase.accepted.v1",
                contentType: "application/json", headers: ["step": .integer(1)]),
            body: Data("{}".utf8)), because: .refused)
}

/// What every store of undelivered answers promises; `pass` lets time go by.
private func keepPromises(
    _ answers: any UndeliveredAnswers, pass: (Duration) async throws -> Void
) async throws {
    let first = (0..<3).map { _ in undelivered(to: "full") }
    let other = undelivered(to: "gone")
    #expect(try await answers.keep(first + [other]) == 0)
    #expect(try await answers.keep([first[0]]) == 0, "a repeat is no second answer")
    #expect(try await answers.claim().isEmpty, "a queue that has just refused is left alone for a second")
    try await pass(.seconds(2))
    let due = try await answers.claim()
    #expect(due.count == 4)
    #expect(
        Set(due.map(\.publication.properties.messageID))
            == Set((first + [other]).map(\.publication.properties.messageID)))
    #expect(due.allSatisfy { $0.publication.properties.headers["step"] == .integer(1) }, "it is told as it was")
    #expect(try await answers.claim().isEmpty, "a claim keeps others away")
    try await answers.settle(delivered: due.filter { $0.queue == "gone" }, undelivered: ["full": .refused])
    try await pass(.seconds(1))
    #expect(try await answers.claim().isEmpty, "the next attempt is later than the one before")
    try await pass(.seconds(20))
    let again = try await answers.claim()
    #expect(again.count == 3, "what was told is forgotten, the rest is due again")
    try await pass(.seconds(90_000))
    try await answers.settle(delivered: [], undelivered: ["full": .refused])
    try await pass(.seconds(1_000))
    #expect(try await answers.claim().isEmpty, "after a day it is given up")
    let many = (0..<UndeliveredLimits.perQueue).map { _ in undelivered(to: "deep") }
    #expect(try await answers.keep(many) == 0)
    #expect(try await answers.keep([undelivered(to: "deep")]) == 1, "one queue has only so much room")
    #expect(try await answers.keep([undelivered(to: "shallow")]) == 0, "and takes none of the others'")
}
