import Contracts
import FleetRuntime
import FleetStorage
import Foundation
import Notification
import Postgres
import Simulation
import TestKit
import Testing

@Suite struct `A notification store` {
    @Test func `in memory keeps its promises`() throws {
        try inMemory { process in
            let database = MemoryDatabase("notification", NotificationTables())
            try await keepPromises(MemoryNotificationStore(), MemoryInboxStore(MemorySession(database, process)))
        }
    }

    @Test(.enabled(if: TestServers.haveDatabase)) func `in PostgreSQL keeps its promises`() async throws {
        try await withTestDatabase([(.notification, NotificationService.migrations)]) { database in
            try await keepPromises(
                PostgresNotificationStore(), PostgresInboxStore(database.connection(as: .notification)))
        }
    }
}

private struct Post<Store: NotificationStore, Records: InboxStore>: Sendable
where Store.Transaction == Records.Transaction {
    let store: Store
    let ledger: Records

    func begin(_ letter: RenderedMessage, by desk: UUID, for lease: Duration = .seconds(60)) async throws -> Standing? {
        try await ledger.transact {
            try await store.begin([letter], through: "test", by: desk, for: lease, in: $0)
        }[letter.key]
    }

    func conclude(_ letter: RenderedMessage, _ number: Int, _ result: DeliveryResult) async throws {
        let report = AttemptReport(key: letter.key, number: number, result: result)
        try await ledger.transact { try await store.conclude([report], through: "test", in: $0) }
    }
}

/// What every record of letters promises.
private func keepPromises<Store: NotificationStore, Records: InboxStore>(_ store: Store, _ ledger: Records) async throws
where Store.Transaction == Records.Transaction {
    let post = Post(store: store, ledger: ledger)
    let (mine, theirs) = (UUID(), UUID())

    let delivered = letter()
    #expect(try await post.begin(delivered, by: mine) == .ours(attempt: 1))
    #expect(try await post.begin(delivered, by: mine) == .ours(attempt: 2), "a desk may resume its own attempt")
    guard case .elsewhere(let claim) = try await post.begin(delivered, by: theirs) else {
        Issue.record("two desks had the same letter")
        return
    }
    #expect(claim > .seconds(50) && claim <= .seconds(60))
    try await post.conclude(delivered, 2, .delivered)
    #expect(try await post.begin(delivered, by: theirs) == .delivered(channel: "test"))

    let failing = letter()
    #expect(try await post.begin(failing, by: mine) == .ours(attempt: 1))
    try await post.conclude(failing, 1, .failed(reason: "no answer"))
    #expect(try await post.begin(failing, by: theirs) == .ours(attempt: 2), "a failed attempt is open to everybody")
    try await post.conclude(failing, 2, .refused(reason: "unknown address"))
    #expect(try await post.begin(failing, by: mine) == .failed(reason: "unknown address"))

    let abandoned = letter()
    #expect(try await post.begin(abandoned, by: mine, for: .zero) == .ours(attempt: 1))
    #expect(try await post.begin(abandoned, by: theirs) == .ours(attempt: 2), "a claim ends with its lease")
}

private func letter() -> RenderedMessage {
    RenderedMessage(
        key: LetterKey(sagaID: fresh(), template: .purchaseCompleted), userID: "anna", email: nil, subject: "tickets",
        body: "here they are")
}
