import Contracts

/// Finds the tier of a seat by its name, in some ten bytes more than the name itself.
///
/// A dictionary of strings takes ninety bytes a seat; a hall of a hundred thousand seats would take nine megabytes.
struct SeatIndex: Sendable {
    /// The names in UTF-8, one behind the other, in the order of Swift's strings.
    private let names: [UInt8]
    /// Where each name begins, and the end of the last.
    private let starts: [Int32]
    /// The tier of each name.
    private let tiers: [UInt8]

    init(_ tiers: [PublishEvent.Tier]) {
        var seats: [(name: String, tier: UInt8)] = []
        for (number, tier) in tiers.enumerated() {
            for seat in tier.seats ?? [] { seats.append((seat, UInt8(clamping: number))) }
        }
        seats.sort { $0.name < $1.name }
        var names: [UInt8] = []
        names.reserveCapacity(seats.reduce(0) { $0 + $1.name.utf8.count })
        var starts: [Int32] = []
        starts.reserveCapacity(seats.isEmpty ? 0 : seats.count + 1)
        for seat in seats {
            starts.append(Int32(clamping: names.count))
            names.append(contentsOf: seat.name.utf8)
        }
        if !seats.isEmpty { starts.append(Int32(clamping: names.count)) }
        self.names = names
        self.starts = starts
        self.tiers = seats.map(\.tier)
    }

    var bytes: Int { names.count + 4 * starts.count + tiers.count }

    /// The place of the seat's tier among the tiers, and the seat's name as it was published.
    ///
    /// Every form of a name is found: `É` in one code point and in two is one seat.
    func find(_ seat: String) -> (tier: Int, name: String)? {
        var (low, high) = (0, tiers.count)
        while low < high {
            let middle = (low + high) / 2
            let name = name(at: middle)
            if name == seat { return (Int(tiers[middle]), name) }
            if name < seat { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    private func name(at place: Int) -> String {
        String(decoding: names[Int(starts[place])..<Int(starts[place + 1])], as: UTF8.self)
    }
}
