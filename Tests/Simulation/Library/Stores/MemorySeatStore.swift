import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres
import Reservation

/// The stock in memory, with the locks and constraints of the schema `reservation`.
package struct MemorySeatStore: SeatStore {
    package typealias Transaction = MemoryTransaction<ReservationTables>

    package init() {}

    package func add(_ events: [StockEvent], in transaction: Transaction) async throws {
        let parts = events.flatMap { event in
            event.tiers.map { (id: TierID(event: event.eventId, name: $0.name), tier: $0) }
        }.sorted { $0.id < $1.id }
        try await transaction.write(locking: parts.map(\.id.row)) { tables in
            for (id, part) in parts {
                if tables.tiers[id] == nil {
                    tables.tiers[id] = Tier(id: id, capacity: part.capacity, isSeated: part.seats != nil)
                }
                guard let tier = tables.tiers[id], tier.isSeated else { continue }
                var added = 0
                for (number, name) in (part.seats ?? []).enumerated() where tables.seats[id]?[ExactText(name)] == nil {
                    tables.seats[id, default: [:]][ExactText(name)] = Seat(
                        name: name, rank: (part.firstRank ?? 0) + number)
                    added += 1
                }
                if added > 0 { tables.tiers[id] = tier.changed(stocked: tier.stocked + added) }
            }
        }
    }

    package func open(_ demand: Demand, in transaction: Transaction) async throws -> Stock {
        let known = try await transaction.read { tables in demand.sagas.filter { tables.holds[$0] != nil } }
        let now = transaction.now
        let holds = try await transaction.read(locking: known.sorted().map { .id(.hold, $0.uuid) }) { tables in
            tables.holds.filter { demand.sagas.contains($0.key) }
        }
        let wanted = demand.tiers.union(holds.values.compactMap { $0.places?.tier }).sorted()
        return try await transaction.read(locking: wanted.map(\.row)) { tables in
            var stock = Stock(now: now, holds: holds)
            for id in wanted { stock.tiers[id] = tables.tiers[id] }
            for (id, seats) in tables.seats where stock.tiers[id]?.isSeated == true {
                stock.seats[id] = Self.seats(seats, of: id, for: demand, holds)
            }
            return stock
        }
    }

    /// The named ones, those that may come free, and the best free ones.
    private static func seats(
        _ seats: [ExactText: Seat], of tier: TierID, for demand: Demand, _ holds: [SagaID: Hold]
    ) -> [Seat] {
        var names = demand.named[tier] ?? []
        for saga in demand.releasing {
            if let places = holds[saga]?.places, places.tier == tier {
                names.formUnion(places.seats.map(ExactText.init))
            }
        }
        let named = names.sorted().compactMap { seats[$0] }
        let best = seats.values.filter { $0.state == .free && !names.contains(ExactText($0.name)) }
            .sorted { ($0.rank, $0.name) < ($1.rank, $1.name) }
        return named + best.prefix(demand.window(of: tier))
    }

    package func write(_ changes: StockChanges, in transaction: Transaction) async throws {
        guard !changes.isEmpty else { return }
        let rows =
            changes.tiers.map(\.id.row) + changes.newHolds.map { RowKey.id(.hold, $0.saga.uuid) }
            + changes.changedHolds.map { RowKey.id(.hold, $0.saga.uuid) }
        try await transaction.write(locking: rows) { try Self.apply(changes, to: &$0) }
    }

    private static func apply(_ changes: StockChanges, to tables: inout ReservationTables) throws {
        for tier in changes.tiers {
            guard let old = tables.tiers[tier.id], old.version == tier.version else {
                throw StockFault(what: "the tier \(tier.id.name) has changed")
            }
            try tables.set(old.changed(held: tier.held, sold: tier.sold))
        }
        for hold in changes.newHolds {
            guard tables.holds[hold.saga] == nil else { throw OptimisticLockFailure() }
            tables.holds[hold.saga] = hold
        }
        for move in changes.seats {
            guard var seat = tables.seats[move.tier]?[ExactText(move.name)], seat.state == move.from else {
                throw StockFault(what: "the seat \(move.name) has changed")
            }
            seat.state = move.to
            tables.seats[move.tier]?[ExactText(move.name)] = seat
        }
        for id in changes.voidTickets {
            guard tables.tickets[id] != nil else { throw StockFault(what: "there is no ticket \(id)") }
            tables.tickets[id]?.isValid = false
        }
        for ticket in changes.newTickets { try tables.add(ticket) }
        for hold in changes.changedHolds {
            guard tables.holds[hold.saga] != nil else { throw StockFault(what: "there is no hold of \(hold.saga)") }
            tables.holds[hold.saga]?.status = hold.status
        }
    }
}

/// The views that the schema publishes.
package struct MemoryAvailability: AvailabilitySource {
    let session: MemorySession<ReservationTables>

    package init(_ session: MemorySession<ReservationTables>) {
        self.session = session
    }

    package func availability(of events: [EventID]) async throws -> [EventID: Reservation.Availability] {
        let now = session.process.universe.timeline.date
        return try await session.look { tables in
            let tiers = tables.tiers.values.filter { events.contains($0.id.event) }.sorted { $0.id < $1.id }
            return Dictionary(grouping: tiers, by: \.id.event).mapValues { tiers in
                Reservation.Availability(
                    version: tiers.reduce(0) { $0 + $1.version }, asOf: now,
                    tiers: tiers.map {
                        .init(
                            name: $0.id.name, capacity: $0.capacity, available: $0.available, version: $0.version)
                    })
            }
        }
    }
}
