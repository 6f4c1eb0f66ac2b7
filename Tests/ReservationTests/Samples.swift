import Contracts
import FoundationEssentials

@testable import Reservation

let noon = Date(timeIntervalSince1970: 1_800_000_000)

func reserve(
    _ quantity: Int = 1, of tier: TierID, seats: [String]? = nil, holdSeconds: Int = 900
) -> ReserveSeats {
    ReserveSeats(
        eventId: tier.event, tier: tier.name, quantity: seats?.count ?? quantity, seats: seats,
        holdSeconds: holdSeconds)
}

func envelope(_ payload: some Message, of saga: SagaID?, id: MessageID = .make(), attempt: Int = 1) throws -> Envelope {
    var envelope = try Envelope(
        id: id, payload, sagaID: saga, step: 3, causationID: nil, occurredAt: noon,
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    envelope.attempt = attempt
    return envelope
}

extension Stock {
    /// One tier of a new event, sold by count.
    static func counted(_ capacity: Int) -> (Stock, TierID) {
        let id = TierID(event: .make(), name: "floor")
        return (Stock(now: noon, tiers: [id: Tier(id: id, capacity: capacity, isSeated: false)]), id)
    }

    /// One tier of a new event with these seats, best first.
    static func seated(_ names: [String], capacity: Int? = nil) -> (Stock, TierID) {
        let id = TierID(event: .make(), name: "stalls")
        let tier = Tier(id: id, capacity: capacity ?? names.count, isSeated: true, stocked: names.count)
        let seats = names.enumerated().map { Seat(name: $1, rank: $0) }
        return (Stock(now: noon, tiers: [id: tier], seats: [id: seats]), id)
    }

    /// The stock after the changes were written.
    func applying(_ changes: StockChanges) -> Stock {
        var stock = self
        for tier in changes.tiers { stock.tiers[tier.id] = tier }
        for hold in changes.newHolds + changes.changedHolds { stock.holds[hold.saga] = hold }
        for move in changes.seats {
            for index in stock.seats[move.tier, default: []].indices
            where stock.seats[move.tier]?[index].name == move.name {
                stock.seats[move.tier]?[index].state = move.to
            }
        }
        return stock
    }
}

/// The seats of rows A, B and so on, best first; their names are like `A-1`.
func rows(_ count: Int, of length: Int) -> [String] {
    (0..<count).flatMap { row in (1...length).map { "\(UnicodeScalar(UInt8(65 + row)))-\($0)" } }
}
