import Contracts
import Expiry
import FleetRuntime
import FleetStorage
import Postgres
import Simulation
import TestKit
import Testing

@Suite struct `A ledger` {
    @Test func `in memory keeps its promises`() throws {
        try inMemory { process in
            let database = MemoryDatabase("expiry", ExpiryTables())
            let ledger = MemoryInboxStore(MemorySession(database, process))
            try await keepPromises(ledger, MemoryInboxStore(MemorySession(database, process)))
        }
    }

    @Test(.enabled(if: TestServers.haveDatabase)) func `in PostgreSQL keeps its promises`() async throws {
        try await withTestDatabase([(.expiry, ExpiryService.migrations)]) { database in
            try await keepPromises(
                PostgresInboxStore(database.connection(as: .expiry)),
                PostgresInboxStore(database.connection(as: .expiry)))
        }
    }
}

private struct ChangeOfMind: Error {}

/// What every ledger promises; the second one is another connection to the same schema.
private func keepPromises<Book: InboxStore>(_ ledger: Book, _ other: Book) async throws {
    try await `recorded replies are found as they were`(ledger, other)
    try await `nothing is left of a transaction that fails`(ledger)
    try await `a message is recorded once`(ledger)
    try await `of two who record the same message at once one is first`(ledger, other)
}

private func `recorded replies are found as they were`<Book: InboxStore>(_ ledger: Book, _ other: Book) async throws {
    let handled = HandledMessage(id: fresh(), replies: [try reply(to: fresh()), try reply(to: fresh())])
    let silent = HandledMessage(id: fresh(), replies: [])
    try await ledger.transact { try await ledger.record([handled, silent], in: $0) }
    let stranger = fresh(MessageID.self)
    let found = try await other.transact {
        try await other.recordedReplies(to: [handled.id, stranger, silent.id], in: $0)
    }
    #expect(found == [handled.id: handled.replies, silent.id: []])
}

private func `nothing is left of a transaction that fails`<Book: InboxStore>(_ ledger: Book) async throws {
    let id = fresh(MessageID.self)
    let error = await failure {
        try await ledger.transact { transaction in
            _ = try await ledger.recordedReplies(to: [id], in: transaction)
            throw ChangeOfMind()
        }
    }
    #expect(error is ChangeOfMind)
    let found = try await ledger.transact { try await ledger.recordedReplies(to: [id], in: $0) }
    #expect(found.isEmpty)
}

private func `a message is recorded once`<Book: InboxStore>(_ ledger: Book) async throws {
    let handled = HandledMessage(id: fresh(), replies: [try reply(to: fresh())])
    try await ledger.transact { try await ledger.record([handled], in: $0) }
    let again = HandledMessage(id: handled.id, replies: [])
    let error = await failure { try await ledger.transact { try await ledger.record([again], in: $0) } }
    #expect(error is DuplicateMessage)
    let found = try await ledger.transact { try await ledger.recordedReplies(to: [handled.id], in: $0) }
    #expect(found == [handled.id: handled.replies])
}

private func `of two who record the same message at once one is first`<Book: InboxStore>(
    _ ledger: Book, _ other: Book
) async throws {
    let id = fresh(MessageID.self)
    let handled = [HandledMessage(id: id, replies: [try reply(to: fresh())])]
    let outcomes = await withTaskGroup(of: Bool.self) { group in
        for book in [ledger, other] {
            group.addTask {
                do {
                    try await book.transact { transaction in
                        _ = try await book.recordedReplies(to: [id], in: transaction)
                        try await book.record(handled, in: transaction)
                    }
                    return true
                } catch {
                    #expect(error is DuplicateMessage)
                    return false
                }
            }
        }
        return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outcomes.filter { $0 }.count == 1)
}
