import Contracts
import FoundationEssentials

/// Names one tier of one event, by the exact bytes of its name, as its row does.
package struct TierID: Sendable, Hashable, Comparable {
    package let event: EventID
    private let exactName: ExactText

    package var name: String { exactName.text }

    package init(event: EventID, name: String) {
        self.event = event
        exactName = ExactText(name)
    }

    package static func < (left: TierID, right: TierID) -> Bool {
        left.event == right.event ? left.exactName < right.exactName : left.event < right.event
    }
}

/// The counts of one tier.
package struct Tier: Sendable, Equatable {
    package let id: TierID
    package let capacity: Int
    package var held: Int
    package var sold: Int
    package let isSeated: Bool
    /// How many named seats have arrived so far; they come in parts.
    package let stocked: Int
    package let version: Int

    package init(
        id: TierID, capacity: Int, held: Int = 0, sold: Int = 0, isSeated: Bool, stocked: Int = 0, version: Int = 1
    ) {
        self.id = id
        self.capacity = capacity
        self.held = held
        self.sold = sold
        self.isSeated = isSeated
        self.stocked = stocked
        self.version = version
    }

    package var available: Int { capacity - held - sold }
    /// Whether named seats are still under way.
    package var isIncomplete: Bool { isSeated && stocked < capacity }
}

/// What a saga holds or held: the one row that says whether a reserve, confirm or release has happened.
package struct Hold: Sendable, Equatable {
    package enum Status: String, Sendable, CaseIterable {
        case held, sold
        /// Given back before it was sold, or released before it was reserved.
        case released
        /// Given back after it was sold.
        case void
    }

    package struct Places: Sendable, Equatable {
        package let tier: TierID
        package let quantity: Int
        /// Empty in a tier that is sold by count.
        package let seats: [String]
        package let deadline: Date

        package init(tier: TierID, quantity: Int, seats: [String], deadline: Date) {
            self.tier = tier
            self.quantity = quantity
            self.seats = seats
            self.deadline = deadline
        }
    }

    package let saga: SagaID
    /// Nil for the tombstone of a release that came before its reserve.
    package let places: Places?
    package var status: Status

    package init(saga: SagaID, places: Places?, status: Status) {
        self.saga = saga
        self.places = places
        self.status = status
    }

    /// The tickets of this hold once it is sold; the same whenever they are asked for.
    package var tickets: [IssuedTicket] {
        guard let places else { return [] }
        return (0..<places.quantity).map { number in
            IssuedTicket(
                id: TicketID(MessageID.derived(from: saga.uuid, "ticket.\(number)").uuid), tier: places.tier.name,
                seat: places.seats.isEmpty ? nil : places.seats[number])
        }
    }
}

/// One named seat.
package struct Seat: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        case free
        case held(by: SagaID)
        case sold(to: SagaID)
    }

    package let name: String
    /// How good the seat is, the best first; neighbours have ranks in a row.
    package let rank: Int
    package var state: State

    package init(name: String, rank: Int, state: State = .free) {
        self.name = name
        self.rank = rank
        self.state = state
    }
}
