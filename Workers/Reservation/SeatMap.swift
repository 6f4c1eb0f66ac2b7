import Contracts

/// The seats of one tier that a batch looks at: who has them, and which free ones are neighbours.
struct SeatMap: Sendable {
    private var seats: [ExactText: Seat]
    private var free: FreeSeats

    init(_ seats: [Seat]) {
        self.seats = Dictionary(seats.map { (ExactText($0.name), $0) }) { first, _ in first }
        free = FreeSeats(self.seats.values.filter { $0.state == .free })
    }

    func knows(_ name: String) -> Bool { seats[ExactText(name)] != nil }

    func isFree(_ name: String) -> Bool { seats[ExactText(name)]?.state == .free }

    /// The best free seats, side by side if there are as many; nil if there are not as many at all.
    func best(_ count: Int) -> [String]? { free.best(count) }

    /// Notes who has a seat now; a seat that is not looked at stays so.
    mutating func set(_ name: String, to state: Seat.State) {
        guard var seat = seats[ExactText(name)], seat.state != state else { return }
        if seat.state == .free { free.remove(seat) }
        seat.state = state
        seats[ExactText(name)] = seat
        if state == .free { free.insert(seat) }
    }
}
