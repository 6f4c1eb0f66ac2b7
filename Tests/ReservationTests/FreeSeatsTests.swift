import Chance
import Connections
import Testing

@testable import Reservation

@Suite struct FreeSeatsTests {
    private func seats(_ names: [String]) -> [Seat] {
        names.enumerated().map { Seat(name: $1, rank: $0) }
    }

    @Test(arguments: [
        ("A-12", "A"), ("Balcony-B-3", "Balcony-B"), ("A12", "A"), ("12", ""), ("Box", "Box"), ("-7", ""), ("", ""),
    ])
    func `the row of a seat is its name up to the last hyphen or the digits at the end`(name: String, row: String) {
        #expect(FreeSeats.row(of: name) == row)
    }

    @Test func `the first run that is long enough is taken from its best end`() {
        let free = FreeSeats(seats(["A-1", "A-2", "B-1", "B-2", "B-3", "C-1", "C-2", "C-3", "C-4"]))
        #expect(free.best(1) == ["A-1"])
        #expect(free.best(2) == ["A-1", "A-2"])
        #expect(free.best(3) == ["B-1", "B-2", "B-3"])
        #expect(free.best(4) == ["C-1", "C-2", "C-3", "C-4"])
    }

    @Test func `without neighbours the best single seats are taken, and nothing when there are too few`() {
        let free = FreeSeats(seats(["A-1", "B-1", "C-1", "C-2"]))
        #expect(free.best(3) == ["A-1", "B-1", "C-1"])
        #expect(free.best(5) == nil)
        #expect(FreeSeats([]).best(1) == nil)
    }

    @Test func `seats with a gap between their ranks are no neighbours`() {
        let free = FreeSeats([Seat(name: "A-1", rank: 0), Seat(name: "A-3", rank: 2), Seat(name: "A-4", rank: 3)])
        #expect(free.best(2) == ["A-3", "A-4"])
    }

    @Test func `taking a seat out parts its neighbours, and bringing it back joins them`() {
        let row = seats(["A-1", "A-2", "A-3", "A-4", "A-5"])
        var free = FreeSeats(row)
        free.remove(row[2])
        free.remove(row[2])
        #expect(free.best(3) == ["A-1", "A-2", "A-4"])
        free.insert(row[2])
        #expect(free.best(5) == ["A-1", "A-2", "A-3", "A-4", "A-5"])
    }

    @Test func `ranks that occur twice lose no seat`() {
        let row = ["A-1", "A-2", "A-3"].enumerated().map { Seat(name: $1, rank: $0) }
        let twin = ["B-1", "B-2", "B-3"].enumerated().map { Seat(name: $1, rank: $0) }
        var free = FreeSeats(row + twin)
        for seat in row { free.remove(seat) }
        #expect(free.best(4) == nil)
        #expect(Set(free.best(3) ?? []) == ["B-1", "B-2", "B-3"])
        for seat in twin { free.remove(seat) }
        #expect(free.best(1) == nil)
    }

    @Test(arguments: [1, 2, 3, 4, 5])
    func `after any changes the seats are those of a fresh look`(seed: UInt64) {
        var generator = SeededChance(seed: seed)
        let all = seats(rows(5, of: 8))
        var present = Set(all.map(\.name))
        var free = FreeSeats(all)
        for _ in 0..<300 {
            guard let seat = all.randomElement(using: &generator) else { return }
            if present.remove(seat.name) != nil {
                free.remove(seat)
            } else {
                present.insert(seat.name)
                free.insert(seat)
            }
            let fresh = FreeSeats(all.filter { present.contains($0.name) })
            for wanted in 1...10 { #expect(free.best(wanted) == fresh.best(wanted)) }
        }
    }
}
