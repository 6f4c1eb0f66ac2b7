import Connections
import FoundationEssentials
import Synchronization
import Topology

/// What one lane did lately; a batch is one update.
package final class LaneActivity: Sendable {
    private struct State {
        var messages = 0
        var last: LaneReading.Batch?
        var readAt = World.instant
        var readMessages = 0
    }

    private let queue: Queue
    private let state = Mutex(State())

    package init(queue: Queue) {
        self.queue = queue
    }

    func record(_ batch: BatchTally, took time: Duration) {
        let last = LaneReading.Batch(
            at: World.date, messages: batch.count, milliseconds: Int(time.nanoseconds / 1_000_000))
        state.withLock { state in
            state.messages += batch.count
            state.last = last
        }
    }

    /// The state now; the rate is that since the reading before.
    func reading() -> LaneReading {
        let now = World.instant
        return state.withLock { state in
            let elapsed = Double((now - state.readAt).nanoseconds) / 1e9
            let rate = elapsed > 0 ? Double(state.messages - state.readMessages) / elapsed : 0
            state.readAt = now
            state.readMessages = state.messages
            return LaneReading(
                queue: queue.name, messages: state.messages, perSecond: (rate * 10).rounded() / 10,
                lastBatch: state.last)
        }
    }
}

/// One lane of a live process, as operators see it.
package struct LaneReading: Codable, Sendable, Equatable {
    package struct Batch: Codable, Sendable, Equatable {
        package let at: Date
        package let messages: Int
        package let milliseconds: Int
    }

    package let queue: String
    /// Since the process started.
    package let messages: Int
    package let perSecond: Double
    package let lastBatch: Batch?
}

/// The lanes of a process.
package final class LaneBoard: Sendable {
    private let lanes = Mutex<[LaneActivity]>([])

    package init() {}

    func add(_ queue: Queue) -> LaneActivity {
        let activity = LaneActivity(queue: queue)
        lanes.withLock { $0.append(activity) }
        return activity
    }

    func readings() -> [LaneReading] { lanes.withLock { $0 }.map { $0.reading() } }
}
