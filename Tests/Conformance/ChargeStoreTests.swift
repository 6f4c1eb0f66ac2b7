import Contracts
import FleetRuntime
import FleetStorage
import Foundation
import Payment
import Postgres
import Simulation
import TestKit
import Testing

@Suite struct `A charge book` {
    @Test func `in memory keeps its promises`() throws {
        try inMemory { process in
            let ledger = MemoryInboxStore(MemorySession(MemoryDatabase("payment", PaymentTables()), process))
            try await keepPromises(MemoryChargeStore(), ledger)
        }
    }

    @Test(.enabled(if: TestServers.haveDatabase)) func `in PostgreSQL keeps its promises`() async throws {
        try await withTestDatabase([(.payment, PaymentService.migrations)]) { database in
            try await keepPromises(
                PostgresChargeStore(),
                PostgresInboxStore(database.connection(as: .payment), meaning: PostgresChargeStore.meaning))
        }
    }
}

/// What every book of charges promises.
private func keepPromises<Book: DueCharges, Records: InboxStore>(_ book: Book, _ ledger: Records) async throws
where Book.Transaction == Records.Transaction {
    let office = Office(book: book, ledger: ledger)
    try await `a saga is charged once`(office)
    try await `charges are opened and committed in one go`(office)
    try await `a change is made only to what stands`(office)
    try await `all changes are made or none`(office)
    try await `what is due is claimed for the time of the lease`(office)
    try await `what is settled is not due any more`(office)
    try await `only what was handled is amended`(office)
}

private struct Office<Book: DueCharges, Records: InboxStore>: Sendable where Book.Transaction == Records.Transaction {
    let book: Book
    let ledger: Records

    func charge() -> Charge {
        Charge(
            sagaID: fresh(), terms: .init(amount: Money(currency: "CHF", minor: 1_200), method: "sim_ok"), state: .open,
            owed: .init(operation: .charge, id: fresh(), step: 2, traceparent: nil))
    }

    func add(_ charges: [Charge], dueAfter pause: Duration = .seconds(60)) async throws -> Set<SagaID> {
        try await ledger.transact { try await book.add(charges, dueAfter: pause, in: $0) }
    }

    func find(_ charge: Charge) async throws -> Charge? {
        try await ledger.transact { try await book.find([charge.sagaID], in: $0) }.first
    }

    func apply(_ change: ChargeChange) async throws -> Set<SagaID> {
        try await ledger.transact { try await book.apply([change], noting: [], in: $0) }
    }

    /// Which of these charges are claimed now; others' are put back at once.
    func claim(_ charges: [Charge], for lease: Duration) async throws -> [Charge] {
        let claimed = try await ledger.transact { try await book.claim(1_000, for: lease, in: $0) }
        return claimed.filter { claim in charges.contains { $0.sagaID == claim.sagaID } }
    }
}

private func `a saga is charged once`(_ office: Office<some DueCharges, some InboxStore>) async throws {
    let charge = office.charge()
    var other = charge
    other.attempts = 7
    #expect(try await office.add([charge]) == [charge.sagaID])
    #expect(try await office.add([other]).isEmpty)
    #expect(try await office.find(charge) == charge)
}

/// Comes too late to undo what is committed.
private struct Late: Error {}

private func `charges are opened and committed in one go`(
    _ office: Office<some DueCharges, some InboxStore>
) async throws {
    let (old, new) = (office.charge(), office.charge())
    _ = try await office.add([old])
    let late = await failure {
        try await office.ledger.transact { transaction in
            let opened = try await office.book.open([old, new], dueAfter: .seconds(60), in: transaction)
            #expect(opened == [new.sagaID])
            throw Late()
        }
    }
    #expect(late is Late)
    #expect(try await office.find(new) == new)
}

private func `all changes are made or none`(_ office: Office<some DueCharges, some InboxStore>) async throws {
    let (first, second) = (office.charge(), office.charge())
    _ = try await office.add([first, second].sorted { $0.sagaID < $1.sagaID })
    let changes = [first, second].map {
        ChargeChange(from: $0, to: $0.moved(to: .captured(id: "sim_3")), dueAfter: nil)
    }
    _ = try await office.apply(changes[1])
    let late = await failure {
        try await office.ledger.transact { try await office.book.applyAll(changes, noting: [], in: $0) }
    }
    #expect(late is OptimisticLockFailure)
    #expect(try await office.find(first) == first)
    try await office.ledger.transact { try await office.book.applyAll([changes[0]], noting: [], in: $0) }
    #expect(try await office.find(first) == changes[0].to)
}

private func `a change is made only to what stands`(_ office: Office<some DueCharges, some InboxStore>) async throws {
    let charge = office.charge()
    _ = try await office.add([charge])
    let captured = charge.moved(to: .captured(id: "sim_1"))
    let change = ChargeChange(from: charge, to: captured, dueAfter: nil)
    #expect(try await office.apply(change) == [charge.sagaID])
    let late = ChargeChange(from: charge, to: charge.moved(to: .closing), dueAfter: .zero)
    #expect(try await office.apply(late).isEmpty)
    #expect(try await office.find(charge) == captured)
}

private func `what is due is claimed for the time of the lease`(
    _ office: Office<some DueCharges, some InboxStore>
) async throws {
    let due = office.charge()
    let early = office.charge()
    _ = try await office.add([due], dueAfter: .zero)
    _ = try await office.add([early], dueAfter: .seconds(60))
    #expect(try await office.claim([due, early], for: .seconds(60)) == [due])
    #expect(try await office.claim([due, early], for: .seconds(60)).isEmpty)
}

private func `what is settled is not due any more`(_ office: Office<some DueCharges, some InboxStore>) async throws {
    let charge = office.charge()
    _ = try await office.add([charge], dueAfter: .zero)
    let captured = charge.moved(to: .captured(id: "sim_2"))
    _ = try await office.apply(ChargeChange(from: charge, to: captured, dueAfter: .zero))
    // Settling what has changed since does nothing.
    try await office.ledger.transact { try await office.book.settle([charge], in: $0) }
    #expect(try await office.claim([charge], for: .zero) == [captured])
    try await office.ledger.transact { try await office.book.settle([captured], in: $0) }
    #expect(try await office.claim([charge], for: .zero).isEmpty)
}

private func `only what was handled is amended`(_ office: Office<some DueCharges, some InboxStore>) async throws {
    let handled = HandledMessage(id: fresh(), replies: [])
    let stranger = HandledMessage(id: fresh(), replies: [try reply(to: fresh())])
    try await office.ledger.transact { try await office.ledger.record([handled], in: $0) }
    let answer = HandledMessage(id: handled.id, replies: [try reply(to: fresh())])
    try await office.ledger.transact { try await office.book.amend([answer, stranger], in: $0) }
    let found = try await office.ledger.transact {
        try await office.ledger.recordedReplies(to: [handled.id, stranger.id], in: $0)
    }
    #expect(found == [handled.id: answer.replies])
}
