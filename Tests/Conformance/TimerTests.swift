import Contracts
import Expiry
import FleetRuntime
import FleetStorage
import Foundation
import Postgres
import Simulation
import TestKit
import Testing

@Suite struct `A timer book` {
    @Test func `in memory keeps its promises`() throws {
        try inMemory { process in
            let session = MemorySession(MemoryDatabase("expiry", ExpiryTables()), process)
            try await keepPromises(MemoryTimers(session), MemoryInboxStore(session), process.universe.timeline.date)
        }
    }

    @Test(.enabled(if: TestServers.haveDatabase)) func `in PostgreSQL keeps its promises`() async throws {
        try await withTestDatabase([(.expiry, ExpiryService.migrations)]) { database in
            try await keepPromises(
                PostgresTimers(database.connection(as: .expiry)), PostgresInboxStore(database.connection(as: .expiry)),
                Date())
        }
    }
}

/// What every book of timers promises, by a clock that shows about `now`.
private func keepPromises<Book: TimerStore & TimerClock, Records: InboxStore>(
    _ timers: Book, _ ledger: Records, _ now: Date
) async throws where Book.Transaction == Records.Transaction {
    let past = Date(timeIntervalSince1970: now.timeIntervalSince1970.rounded() - 60)
    let future = past.addingTimeInterval(3_600)
    let due = timer(past)
    let early = timer(future)
    let called = timer(past)
    try await ledger.transact { try await timers.note(wanted: [due, early], unwanted: [called.key], in: $0) }
    // A known timer does not move, and one that was cancelled first never rings.
    let moved = FleetTimer(key: early.key, dueAt: past, step: 9, commandID: fresh(), traceparent: nil)
    try await ledger.transact { try await timers.note(wanted: [moved, called], unwanted: [], in: $0) }
    #expect(try await timers.claimDue(10, for: .seconds(60)) == [due], "only what is due rings")
    #expect(try await timers.claimDue(10, for: .seconds(60)).isEmpty, "a claim keeps others away")
    try await timers.markFired([due.key])
    try await `a cancel ends what has not fired`(timers, ledger, past)
    try await `a claim ends with its lease`(timers, ledger, past)
    try await `the longest due come first`(timers, ledger, past)
    #expect(try await timers.forgetEnded(100, after: .seconds(3_600)) == 0)
}

private func timer(_ dueAt: Date) -> FleetTimer {
    FleetTimer(
        key: TimerKey(sagaID: fresh(), subject: "hold"), dueAt: dueAt, step: 2, commandID: fresh(), traceparent: nil)
}

private func `a cancel ends what has not fired`<Book: TimerStore & TimerClock, Records: InboxStore>(
    _ timers: Book, _ ledger: Records, _ past: Date
) async throws where Book.Transaction == Records.Transaction {
    let timer = timer(past)
    try await ledger.transact { try await timers.note(wanted: [timer], unwanted: [], in: $0) }
    try await ledger.transact { try await timers.note(wanted: [], unwanted: [timer.key], in: $0) }
    #expect(try await timers.claimDue(10, for: .zero).isEmpty)
}

private func `a claim ends with its lease`<Book: TimerStore & TimerClock, Records: InboxStore>(
    _ timers: Book, _ ledger: Records, _ past: Date
) async throws where Book.Transaction == Records.Transaction {
    let timer = timer(past)
    try await ledger.transact { try await timers.note(wanted: [timer], unwanted: [], in: $0) }
    #expect(try await timers.claimDue(10, for: .zero) == [timer])
    #expect(try await timers.claimDue(10, for: .zero) == [timer])
    try await timers.markFired([timer.key])
    #expect(try await timers.claimDue(10, for: .zero).isEmpty)
}

private func `the longest due come first`<Book: TimerStore & TimerClock, Records: InboxStore>(
    _ timers: Book, _ ledger: Records, _ past: Date
) async throws where Book.Transaction == Records.Transaction {
    let late = timer(past.addingTimeInterval(-1))
    let later = timer(past.addingTimeInterval(-2))
    try await ledger.transact { try await timers.note(wanted: [late, later], unwanted: [], in: $0) }
    #expect(try await timers.claimDue(1, for: .seconds(60)) == [later])
    #expect(try await timers.claimDue(1, for: .seconds(60)) == [late])
}
