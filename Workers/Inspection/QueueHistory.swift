/// What earlier readings of a queue tell of its oldest message, without touching it.
///
/// Looking at the head of a queue means to take it and hand it back, which counts towards a quorum queue's delivery
/// limit, and quorum queues do not say when their head came. But what is gone and what is there add up to what has
/// ever arrived; so a message was there at the first reading that counted more arrivals than are gone by now.
package struct QueueHistory: Sendable {
    private struct Reading {
        let at: ContinuousClock.Instant
        let arrived: Int
    }

    /// Beyond this many readings every second one is forgotten, which can only make an age look smaller.
    private static let capacity = 512

    /// Only readings that counted messages which are still there, the oldest first.
    private var readings: [Reading] = []
    /// How far readings that are kept lie apart.
    private var spacing = Duration.zero

    package init() {}

    /// Notes a reading, and answers how long the oldest message has been there at least; nil for an empty queue.
    ///
    /// The truth is less than the time between two readings older, unless the message came before the first reading.
    /// - Parameters:
    ///   - waiting: messages that are there, taken or not.
    ///   - gone: messages that were ever acknowledged.
    package mutating func note(waiting: Int, gone: Int, at now: ContinuousClock.Instant) -> Duration? {
        let arrived = gone + waiting
        // A broker that was restarted counts from zero again.
        if waiting == 0 || arrived < readings.last?.arrived ?? 0 { (readings, spacing) = ([], .zero) }
        guard waiting > 0 else { return nil }
        readings.removeAll { $0.arrived <= gone }
        keep(Reading(at: now, arrived: arrived))
        return readings.first.map { now - $0.at }
    }

    private mutating func keep(_ reading: Reading) {
        if let last = readings.last {
            guard reading.arrived > last.arrived, reading.at - last.at >= spacing else { return }
        }
        readings.append(reading)
        if readings.count > Self.capacity {
            spacing = (reading.at - readings[0].at) / (Self.capacity / 2)
            readings = readings.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
        }
    }
}
