import Contracts
import FoundationEssentials
import Postgres
import Reservation

/// The stock, with or without a flaw.
struct FlawedSeatStore: SeatStore {
    typealias Transaction = MemoryTransaction<ReservationTables>

    private let inner = MemorySeatStore()
    private let flaw: SeatFlaw

    init(_ flaw: SeatFlaw) {
        self.flaw = flaw
    }

    func add(_ events: [StockEvent], in transaction: Transaction) async throws {
        try await inner.add(events, in: transaction)
    }

    func open(_ demand: Demand, in transaction: Transaction) async throws -> Stock {
        switch flaw {
        case .none, .noTombstones: return try await inner.open(demand, in: transaction)
        case .freedByTheClock:
            try await free(in: transaction)
            return try await inner.open(demand, in: transaction)
        case .lostUpdates: return try await inner.glance(demand, in: transaction)
        }
    }

    func write(_ changes: StockChanges, in transaction: Transaction) async throws {
        switch flaw {
        case .none, .freedByTheClock: try await inner.write(changes, in: transaction)
        case .noTombstones:
            var changes = changes
            changes.newHolds.removeAll { $0.places == nil }
            try await inner.write(changes, in: transaction)
        case .lostUpdates: try await inner.overwrite(changes, in: transaction)
        }
    }

    /// Gives back every hold whose deadline has passed.
    private func free(in transaction: Transaction) async throws {
        let now = transaction.now
        let tiers = try await transaction.read { $0.tiers.keys.sorted() }
        try await transaction.write(locking: tiers.map(\.row)) { tables in
            for hold in tables.holds.values where hold.status == .held {
                guard let places = hold.places, places.deadline < now, let tier = tables.tiers[places.tier] else {
                    continue
                }
                tables.holds[hold.saga]?.status = .released
                tables.tiers[places.tier] = tier.changed(held: tier.held - places.quantity)
                for seat in places.seats { tables.seats[places.tier]?[ExactText(seat)]?.state = .free }
            }
        }
    }
}

extension MemorySeatStore {
    /// Looks at the stock without locking it.
    fileprivate func glance(_ demand: Demand, in transaction: Transaction) async throws -> Stock {
        let now = transaction.now
        return try await transaction.read { tables in
            let holds = tables.holds.filter { demand.sagas.contains($0.key) }
            let wanted = demand.tiers.union(holds.values.compactMap { $0.places?.tier })
            return Stock(
                now: now, holds: holds, tiers: tables.tiers.filter { wanted.contains($0.key) },
                seats: tables.seats.filter { wanted.contains($0.key) }.mapValues { Array($0.values) })
        }
    }

    /// Writes counts as they were decided, whatever stands by now.
    fileprivate func overwrite(_ changes: StockChanges, in transaction: Transaction) async throws {
        try await transaction.write(locking: []) { tables in
            for tier in changes.tiers { tables.tiers[tier.id] = tier.changed() }
            for hold in changes.newHolds + changes.changedHolds { tables.holds[hold.saga] = hold }
            for move in changes.seats { tables.seats[move.tier]?[ExactText(move.name)]?.state = move.to }
            for id in changes.voidTickets { tables.tickets[id]?.isValid = false }
            for ticket in changes.newTickets {
                tables.tickets[ticket.ticket.id] = .init(ticket: ticket, isValid: ticket.isValid)
            }
        }
    }
}
