import DequeModule

/// Hands out a bounded number of places: in turn between origins, first come first served within one.
///
/// An origin without a free place of its own is passed over, so the calls behind it do not wait for it.
struct Turns {
    enum Answer {
        /// The place is taken; `giveBack` frees it.
        case begins
        /// `next` names the call when it has a place.
        case waits
        case refused
    }

    private struct BatchConsumer {
        var running = 0
        var waiting = Deque<UInt64>()

        var isEmpty: Bool { running == 0 && waiting.isEmpty }
    }

    private let limit: Int
    private let limitPerOrigin: Int
    private let waitingLimit: Int
    private var running = 0
    private var waiting = 0
    private var lanes: [String: BatchConsumer] = [:]
    /// The origins with calls that wait, in turn.
    private var order = Deque<String>()

    init(_ configuration: CurlConfiguration) {
        limit = max(1, configuration.transferLimit)
        limitPerOrigin = max(1, configuration.transferLimitPerOrigin)
        waitingLimit = max(0, configuration.waitingLimit)
    }

    /// Asks for a place for one call.
    mutating func ask(for id: UInt64, to origin: String) -> Answer {
        var lane = lanes[origin] ?? BatchConsumer()
        defer { lanes[origin] = lane.isEmpty ? nil : lane }
        if running < limit, lane.running < limitPerOrigin, lane.waiting.isEmpty {
            running += 1
            lane.running += 1
            return .begins
        }
        guard waiting < waitingLimit else { return .refused }
        if lane.waiting.isEmpty { order.append(origin) }
        lane.waiting.append(id)
        waiting += 1
        return .waits
    }

    /// Gives the next call its place, or answers nil while there is none.
    mutating func next() -> UInt64? {
        guard running < limit, let turn = order.firstIndex(where: { hasRoom($0) }) else { return nil }
        let origin = order.remove(at: turn)
        guard var lane = lanes[origin], let id = lane.waiting.popFirst() else { return nil }
        if !lane.waiting.isEmpty { order.append(origin) }
        lane.running += 1
        lanes[origin] = lane
        running += 1
        waiting -= 1
        return id
    }

    /// Frees the place of a call that had one.
    mutating func giveBack(_ origin: String) {
        guard var lane = lanes[origin], lane.running > 0 else { return }
        lane.running -= 1
        lanes[origin] = lane.isEmpty ? nil : lane
        running -= 1
    }

    /// Takes a call that waits out of the line.
    mutating func leave(_ id: UInt64, to origin: String) {
        guard var lane = lanes[origin], let place = lane.waiting.firstIndex(of: id) else { return }
        lane.waiting.remove(at: place)
        if lane.waiting.isEmpty { order.removeAll { $0 == origin } }
        lanes[origin] = lane.isEmpty ? nil : lane
        waiting -= 1
    }

    private func hasRoom(_ origin: String) -> Bool { (lanes[origin]?.running ?? 0) < limitPerOrigin }
}
