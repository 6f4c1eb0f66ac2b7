/// Free seats as runs of neighbours, the best first.
///
/// Neighbours have ranks in a row and share a row, so where a seat stands in its run follows from its rank.
struct FreeSeats: Sendable {
    private struct Place: Sendable {
        let name: String
        let rank: Int
        let row: Substring

        init(_ seat: Seat) {
            name = seat.name
            rank = seat.rank
            row = FreeSeats.row(of: seat.name)
        }

        func isFollowed(by next: Place) -> Bool { next.rank == rank + 1 && next.row == row }
        func precedes(_ other: Place) -> Bool { rank == other.rank ? name < other.name : rank < other.rank }
    }

    private typealias Run = ArraySlice<Place>

    /// In the order of their first places; none is empty.
    private var runs: [Run] = []
    private var count = 0

    init(_ seats: [Seat]) {
        count = seats.count
        var run: Run = []
        for place in seats.map(Place.init).sorted(by: { $0.precedes($1) }) {
            if let last = run.last, !last.isFollowed(by: place) {
                runs.append(run)
                run = []
            }
            run.append(place)
        }
        if !run.isEmpty { runs.append(run) }
    }

    /// The beginning of the first run that is long enough, else the best single seats; nil if there are too few.
    func best(_ wanted: Int) -> [String]? {
        guard wanted <= count else { return nil }
        if let run = runs.first(where: { $0.count >= wanted }) { return run.prefix(wanted).map(\.name) }
        return runs.lazy.joined().prefix(wanted).map(\.name)
    }

    /// Takes one seat out; its neighbours become two runs.
    mutating func remove(_ seat: Seat) {
        guard let (index, place) = position(of: Place(seat)) else { return }
        let parts = [runs[index][..<place], runs[index][(place + 1)...]]
        runs.replaceSubrange(index...index, with: parts.filter { !$0.isEmpty })
        count -= 1
    }

    /// Brings one seat back and joins it with the runs to its left and right.
    mutating func insert(_ seat: Seat) {
        let place = Place(seat)
        var range = indexOfRun(after: place)..<indexOfRun(after: place)
        var joined: Run = [place]
        if range.lowerBound > 0, let left = runs[range.lowerBound - 1].last, left.isFollowed(by: place) {
            joined = runs[range.lowerBound - 1] + joined
            range = range.lowerBound - 1..<range.upperBound
        }
        if range.upperBound < runs.count, let right = runs[range.upperBound].first, place.isFollowed(by: right) {
            joined += runs[range.upperBound]
            range = range.lowerBound..<range.upperBound + 1
        }
        runs.replaceSubrange(range, with: CollectionOfOne(joined))
        count += 1
    }

    /// The run that holds a place, and where in it; ranks that occur twice cost a look at every run.
    private func position(of place: Place) -> (run: Int, place: Int)? {
        let likely = indexOfRun(after: place) - 1
        if likely >= 0, let found = position(of: place, inRun: likely) { return (likely, found) }
        return runs.indices.lazy.compactMap { run in position(of: place, inRun: run).map { (run, $0) } }.first
    }

    private func position(of place: Place, inRun index: Int) -> Int? {
        let run = runs[index]
        guard let first = run.first else { return nil }
        let position = run.startIndex + place.rank - first.rank
        return run.indices.contains(position) && run[position].name == place.name ? position : nil
    }

    /// The first run that begins behind a place, by halving.
    private func indexOfRun(after place: Place) -> Int {
        var range = 0..<runs.count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            let isBehind = runs[middle].first.map { place.precedes($0) } ?? false
            range = isBehind ? range.lowerBound..<middle : middle + 1..<range.upperBound
        }
        return range.lowerBound
    }

    /// The part of a seat's name that names its row: up to the last hyphen, or up to the digits at the end.
    static func row(of name: String) -> Substring {
        if let hyphen = name.lastIndex(of: "-") { return name[..<hyphen] }
        guard let end = name.lastIndex(where: { !$0.isNumber }) else { return "" }
        return name[...end]
    }
}
