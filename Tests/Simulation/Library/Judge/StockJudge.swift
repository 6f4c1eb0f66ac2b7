import Contracts
import Reservation

/// What must hold of the stock after every single commit (I1 and I2).
enum StockJudge {
    static func violations(in tables: ReservationTables) -> [String] {
        var found: [String] = []
        for tier in tables.tiers.values.sorted(by: { $0.id < $1.id }) {
            let places = tables.holds.values.filter { $0.places?.tier == tier.id }
            let held = sum(places, .held)
            let sold = sum(places, .sold)
            if tier.held + tier.sold > tier.capacity { found.append("I1: \(tier.id.name) is oversold") }
            if tier.held != held || tier.sold != sold {
                found.append(
                    "I2: \(tier.id.name) counts \(tier.held) held and \(tier.sold) sold; its holds say \(held) and \(sold)"
                )
            }
            if tier.isSeated { found += seats(of: tier, in: tables) }
            let valid = tables.tickets.values.filter {
                $0.isValid && $0.ticket.event == tier.id.event && $0.ticket.ticket.tier == tier.id.name
            }
            if valid.count != tier.sold {
                found.append("I2: \(tier.id.name) has \(valid.count) valid tickets and counts \(tier.sold) sold")
            }
        }
        return found
    }

    private static func sum(_ holds: [Hold], _ status: Hold.Status) -> Int {
        holds.filter { $0.status == status }.reduce(0) { $0 + ($1.places?.quantity ?? 0) }
    }

    private static func seats(of tier: Tier, in tables: ReservationTables) -> [String] {
        var found: [String] = []
        let seats = tables.seats[tier.id] ?? [:]
        for hold in tables.holds.values.sorted(by: { $0.saga < $1.saga }) {
            guard let places = hold.places, places.tier == tier.id else { continue }
            for name in places.seats where !agrees(seats[ExactText(name)]?.state, with: hold) {
                found.append("I1: the seat \(name) is not what its hold says, \(hold.status.rawValue)")
            }
        }
        let taken = seats.values.filter { $0.state != .free }.count
        if taken != tier.held + tier.sold {
            found.append("I2: \(taken) seats of \(tier.id.name) are taken, and it counts \(tier.held + tier.sold)")
        }
        return found
    }

    /// A hold that was given back says nothing of its seats, which may have been sold again.
    private static func agrees(_ state: Seat.State?, with hold: Hold) -> Bool {
        switch hold.status {
        case .held: state == .held(by: hold.saga)
        case .sold: state == .sold(to: hold.saga)
        case .released, .void: state != .held(by: hold.saga) && state != .sold(to: hold.saga)
        }
    }
}
