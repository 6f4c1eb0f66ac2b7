import Contracts
import FleetRuntime
import FleetStorage
import Foundation
import Postgres
import Reservation
import Simulation
import TestKit
import Testing

@Suite struct `A seat ledger` {
    @Test func `in memory keeps its promises`() throws {
        try inMemory { process in
            let book = MemoryInboxStore(MemorySession(MemoryDatabase("reservation", ReservationTables()), process))
            try await keepPromises(MemorySeatStore(), book)
        }
    }

    @Test(.enabled(if: TestServers.haveDatabase)) func `in PostgreSQL keeps its promises`() async throws {
        try await withTestDatabase([(.reservation, ReservationService.migrations)]) { database in
            try await keepPromises(
                PostgresSeatStore(),
                PostgresInboxStore(database.connection(as: .reservation), meaning: PostgresSeatStore.meaning))
        }
    }
}

/// What every seat ledger promises.
private func keepPromises<Seats: SeatStore, Book: InboxStore>(_ seats: Seats, _ book: Book) async throws
where Seats.Transaction == Book.Transaction {
    let house = House(seats: seats, book: book)
    try await `stock is added once`(house)
    try await `what is not there is not shown`(house)
    try await `what was written is shown`(house)
    try await `a tier that has changed is not written`(house)
    try await `a saga holds once`(house)
    try await `no tier is oversold`(house)
    try await `a seat that has changed is not moved`(house)
    try await `only the window of the best free seats is shown`(house)
    try await `two forms of one name are two tiers, and two seats`(house)
}

/// A ledger with its transactions.
private struct House<Seats: SeatStore, Book: InboxStore>: Sendable where Seats.Transaction == Book.Transaction {
    let seats: Seats
    let book: Book

    /// Puts a tier of four places on sale, by count or by name.
    func tier(named names: [String]? = nil) async throws -> TierID {
        let id = TierID(event: fresh(), name: "stalls")
        try await add(id, names)
        return id
    }

    func add(_ id: TierID, _ names: [String]?, firstRank: Int = 0) async throws {
        let part = StockEvent.Tier(name: id.name, capacity: 4, seats: names, firstRank: firstRank)
        try await book.transact {
            try await seats.add([StockEvent(eventId: id.event, tiers: [part])], in: $0)
        }
    }

    func open(_ demand: Demand) async throws -> Stock {
        try await book.transact { try await seats.open(demand, in: $0) }
    }

    func write(_ changes: StockChanges) async throws {
        try await book.transact { try await seats.write(changes, in: $0) }
    }

    func stock(of id: TierID, unnamed: Int = 0) async throws -> Stock {
        var demand = Demand()
        demand.sagas = [fresh()]
        demand.tiers = [id]
        if unnamed > 0 { demand.unnamed = [id: unnamed] }
        return try await open(demand)
    }

    func tier(_ id: TierID) async throws -> Tier {
        try #require(try await stock(of: id).tiers[id])
    }

    /// A hold of some places in a tier, and the tier with these places held.
    func holding(_ quantity: Int, of id: TierID, seats: [String] = []) async throws -> StockChanges {
        var tier = try await tier(id)
        tier.held += quantity
        let saga = fresh(SagaID.self)
        var changes = StockChanges()
        changes.tiers = [tier]
        changes.newHolds = [
            Hold(
                saga: saga, places: .init(tier: id, quantity: quantity, seats: seats, deadline: moment),
                status: .held)
        ]
        changes.seats = seats.map { .init(tier: id, name: $0, from: .free, to: .held(by: saga)) }
        return changes
    }
}

private func `stock is added once`(_ house: House<some SeatStore, some InboxStore>) async throws {
    let id = try await house.tier(named: ["A-1", "A-2"])
    try await house.add(id, ["A-1", "A-2"])
    let half = try await house.tier(id)
    #expect(half.capacity == 4)
    #expect(half.stocked == 2)
    #expect(half.isIncomplete)
    try await house.add(id, ["A-3", "A-4"], firstRank: 2)
    let full = try await house.tier(id)
    #expect(full.stocked == 4)
    #expect(full.version == half.version + 1)
}

private func `what is not there is not shown`(_ house: House<some SeatStore, some InboxStore>) async throws {
    let stock = try await house.stock(of: TierID(event: fresh(), name: "nowhere"), unnamed: 1)
    #expect(stock.holds.isEmpty && stock.tiers.isEmpty && stock.seats.isEmpty)
}

private func `what was written is shown`(_ house: House<some SeatStore, some InboxStore>) async throws {
    let id = try await house.tier(named: ["A-1", "A-2", "A-3", "A-4"])
    let before = try await house.tier(id)
    let changes = try await house.holding(2, of: id, seats: ["A-1", "A-2"])
    try await house.write(changes)
    let hold = changes.newHolds[0]
    var demand = Demand()
    demand.sagas = [hold.saga]
    demand.releasing = [hold.saga]
    let stock = try await house.open(demand)
    #expect(stock.holds == [hold.saga: hold])
    #expect(stock.tiers[id]?.held == 2)
    #expect(stock.tiers[id]?.version == before.version + 1)
    let held = (stock.seats[id] ?? []).filter { $0.state == .held(by: hold.saga) }
    #expect(Set(held.map(\.name)) == ["A-1", "A-2"])
}

private func `a tier that has changed is not written`(_ house: House<some SeatStore, some InboxStore>) async throws {
    let id = try await house.tier()
    let late = try await house.holding(1, of: id)
    try await house.write(try await house.holding(1, of: id))
    #expect(await failure { try await house.write(late) } is StockFault)
    #expect(try await house.tier(id).held == 1)
}

private func `a saga holds once`(_ house: House<some SeatStore, some InboxStore>) async throws {
    let id = try await house.tier()
    let first = try await house.holding(1, of: id)
    try await house.write(first)
    var second = try await house.holding(1, of: id)
    second.newHolds = first.newHolds
    #expect(await failure { try await house.write(second) } is OptimisticLockFailure)
    #expect(try await house.tier(id).held == 1)
}

private func `no tier is oversold`(_ house: House<some SeatStore, some InboxStore>) async throws {
    let id = try await house.tier()
    let changes = try await house.holding(5, of: id)
    let error = await failure { try await house.write(changes) } as? PostgresError
    #expect(error?.code == .checkViolation)
    #expect(error?.constraint == "tier_is_not_oversold")
    #expect(try await house.tier(id).held == 0)
}

private func `a seat that has changed is not moved`(_ house: House<some SeatStore, some InboxStore>) async throws {
    let id = try await house.tier(named: ["A-1", "A-2", "A-3", "A-4"])
    try await house.write(try await house.holding(1, of: id, seats: ["A-1"]))
    let late = try await house.holding(1, of: id, seats: ["A-1"])
    #expect(await failure { try await house.write(late) } is StockFault)
    #expect(try await house.tier(id).held == 1)
}

private func `two forms of one name are two tiers, and two seats`(
    _ house: House<some SeatStore, some InboxStore>
) async throws {
    let names = ["\u{C9}", "E\u{301}"]
    let event: EventID = fresh()
    let tiers = names.map { TierID(event: event, name: $0) }
    for tier in tiers { try await house.add(tier, names) }
    var demand = Demand()
    demand.sagas = [fresh()]
    demand.tiers = Set(tiers)
    demand.named = Dictionary(tiers.map { ($0, Set(names.map { ExactText($0) })) }) { first, _ in first }
    let stock = try await house.open(demand)
    #expect(stock.tiers.count == 2 && tiers.allSatisfy { stock.tiers[$0]?.stocked == 2 })
    for tier in tiers { #expect(Set((stock.seats[tier] ?? []).map { ExactText($0.name) }).count == 2) }
}

private func `only the window of the best free seats is shown`(
    _ house: House<some SeatStore, some InboxStore>
) async throws {
    let id = try await house.tier(named: ["A-1", "A-2", "A-3", "A-4"])
    try await house.write(try await house.holding(1, of: id, seats: ["A-2"]))
    let free = try await house.stock(of: id, unnamed: 2).seats[id] ?? []
    #expect(free.map(\.name) == ["A-1", "A-3", "A-4"])
    #expect(free.allSatisfy { $0.state == .free })
}
