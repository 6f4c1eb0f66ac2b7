import Contracts
import FoundationEssentials
import Postgres

/// Keeps the stock of events: what the reservation worker needs of its store.
package protocol SeatStore<Transaction>: Sendable {
    associatedtype Transaction: Sendable
    /// Puts tiers and seats on sale; what is there already stays as it is.
    func add(_ events: [StockEvent], in transaction: Transaction) async throws
    /// Locks what the demand names, until the transaction ends, and tells how it stands.
    func open(_ demand: Demand, in transaction: Transaction) async throws -> Stock
    /// Writes what was decided about a stock that `open` has locked, here or with the commit.
    /// - Throws: `OptimisticLockFailure` when somebody else made the same holds, `StockFault` when the stock is not as decided on.
    func write(_ changes: StockChanges, in transaction: Transaction) async throws
}

/// What a batch must look at before it can decide.
package struct Demand: Sendable, Equatable {
    /// Whose holds to look up, in order.
    package var sagas: [SagaID] = []
    /// The sagas among them whose seats may come free.
    package var releasing: Set<SagaID> = []
    /// The tiers that places are wanted in; those of the sagas' holds come on top.
    package var tiers: Set<TierID> = []
    /// The seats that are wanted by name.
    package var named: [TierID: Set<ExactText>] = [:]
    /// How many places are wanted without saying which.
    package var unnamed: [TierID: Int] = [:]

    package init() {}

    package var isEmpty: Bool { sagas.isEmpty }

    /// How many of a tier's best free seats to look at: enough to find neighbours among them, few in a large hall.
    package func window(of tier: TierID) -> Int {
        guard let wanted = unnamed[tier] else { return 0 }
        return 4 * wanted + (named[tier]?.count ?? 0) + 64
    }
}

/// The stock that a demand names, as it stands at one moment.
package struct Stock: Sendable, Equatable {
    /// The moment, by the clock of the store.
    package var now: Date
    package var holds: [SagaID: Hold]
    package var tiers: [TierID: Tier]
    /// The seats looked at; a tier may have many more.
    package var seats: [TierID: [Seat]]

    package init(
        now: Date, holds: [SagaID: Hold] = [:], tiers: [TierID: Tier] = [:], seats: [TierID: [Seat]] = [:]
    ) {
        self.now = now
        self.holds = holds
        self.tiers = tiers
        self.seats = seats
    }
}

/// What a batch decided, as rows to write.
package struct StockChanges: Sendable, Equatable {
    package struct SeatMove: Sendable, Equatable {
        package let tier: TierID
        package let name: String
        package let from: Seat.State
        package let to: Seat.State

        package init(tier: TierID, name: String, from: Seat.State, to: Seat.State) {
            self.tier = tier
            self.name = name
            self.from = from
            self.to = to
        }
    }

    package struct NewTicket: Sendable, Equatable {
        package let ticket: IssuedTicket
        package let saga: SagaID
        package let event: EventID
        package let userID: String
        package let isValid: Bool
    }

    /// With their new counts and the version that these follow from.
    package var tiers: [Tier] = []
    package var newHolds: [Hold] = []
    /// With their new status; nothing else of a hold ever changes.
    package var changedHolds: [Hold] = []
    package var seats: [SeatMove] = []
    package var newTickets: [NewTicket] = []
    package var voidTickets: [TicketID] = []

    package init() {}

    package var isEmpty: Bool {
        tiers.isEmpty && newHolds.isEmpty && changedHolds.isEmpty && seats.isEmpty && newTickets.isEmpty
            && voidTickets.isEmpty
    }
}
