import DequeModule

/// What has arrived and was not taken, in order, and how many bytes it holds.
struct WaitingDeliveries {
    /// What is handed out at once, give or take a message.
    private static let bytesAtOnce = 8 * 1024 * 1024

    private var deliveries = Deque<Delivery>()
    /// The bytes of all bodies.
    private(set) var size = 0

    var isEmpty: Bool { deliveries.isEmpty }
    var count: Int { deliveries.count }
    var tags: [UInt64] { deliveries.map(\.tag) }

    mutating func append(_ delivery: Delivery) {
        deliveries.append(delivery)
        size += delivery.body.count
    }

    /// The first of them: at most `limit`, and few enough that whoever takes them can hold their bodies.
    mutating func removeFirst(upTo limit: Int) -> [Delivery] {
        var taken: [Delivery] = []
        taken.reserveCapacity(min(limit, deliveries.count))
        var bytes = 0
        while taken.count < limit, bytes < Self.bytesAtOnce, let first = deliveries.popFirst() {
            bytes += first.body.count
            taken.append(first)
        }
        size -= bytes
        return taken
    }

    mutating func removeAll() {
        self = WaitingDeliveries()
    }
}
