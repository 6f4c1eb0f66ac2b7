import Connections
import FoundationEssentials
import Synchronization
import Topology

/// What one lane did lately; a batch is one update.
package final class ConsumerActivity: Sendable {
    private struct State {
        var messages = 0
        var last: ConsumerReading.Batch?
        var failure: ConsumerReading.Failure?
        var readAt = RuntimeEnvironment.instant
        var readMessages = 0
    }

    private let queue: Queue
    private let state = Mutex(State())

    package init(queue: Queue) {
        self.queue = queue
    }

    func record(_ batch: BatchTally, took time: Duration) {
        let last = ConsumerReading.Batch(
            at: RuntimeEnvironment.date, messages: batch.count, milliseconds: Int(time.nanoseconds / 1_000_000))
        state.withLock { state in
            state.messages += batch.count
            state.last = last
            let isWell = batch.handled > 0 && batch.retried + batch.deadLettered == 0
            if isWell, state.failure?.isOver(at: last.at) == true { state.failure = nil }
        }
    }

    /// Notes that a message could not be handled and is tried again, or was deadLettered after its last attempt.
    func noteFailure(_ reason: String) {
        let now = RuntimeEnvironment.date
        let text = String(Redaction.redact(reason).prefix(ConsumerReading.Failure.longestReason))
        state.withLock { state in
            let before = state.failure?.isRecent(at: now) == true ? state.failure : nil
            state.failure = ConsumerReading.Failure(
                since: before?.since ?? now, at: now, messages: (before?.messages ?? 0) + 1, reason: text)
        }
    }

    /// The state now; the rate is that since the reading before.
    func reading() -> ConsumerReading {
        let now = RuntimeEnvironment.instant
        return state.withLock { state in
            let elapsed = Double((now - state.readAt).nanoseconds) / 1e9
            let rate = elapsed > 0 ? Double(state.messages - state.readMessages) / elapsed : 0
            state.readAt = now
            state.readMessages = state.messages
            return ConsumerReading(
                queue: queue.name, messages: state.messages, perSecond: (rate * 10).rounded() / 10,
                lastBatch: state.last,
                failure: state.failure.flatMap { $0.isRecent(at: RuntimeEnvironment.date) ? $0 : nil })
        }
    }
}

/// One lane of a live process, as operators see it.
package struct ConsumerReading: Codable, Sendable, Equatable {
    package struct Batch: Codable, Sendable, Equatable {
        package let at: Date
        package let messages: Int
        package let milliseconds: Int
    }

    /// Messages that fail one after another, by an error that is not theirs to wait for.
    package struct Failure: Codable, Sendable, Equatable {
        static let longestReason = 300
        /// Attempts lie up to a minute apart; after two without another failure the trouble is over.
        private static let memory = 120.0

        package let since: Date
        package let at: Date
        package let messages: Int
        package let reason: String

        /// Once other messages are handled, a failure is believed over so soon.
        private static let convalescence = 15.0

        func isRecent(at now: Date) -> Bool { now.timeIntervalSince(at) < Self.memory }
        func isOver(at now: Date) -> Bool { now.timeIntervalSince(at) > Self.convalescence }
    }

    package let queue: String
    /// Since the process started.
    package let messages: Int
    package let perSecond: Double
    package let lastBatch: Batch?
    /// What made messages fail within the last two minutes.
    package var failure: Failure?
}

/// The lanes of a process.
package final class ConsumerRegistry: Sendable {
    private let lanes = Mutex<[ConsumerActivity]>([])

    package init() {}

    package func add(_ queue: Queue) -> ConsumerActivity {
        let activity = ConsumerActivity(queue: queue)
        lanes.withLock { $0.append(activity) }
        return activity
    }

    package func readings() -> [ConsumerReading] { lanes.withLock { $0 }.map { $0.reading() } }
}
