import Connections
import Synchronization

/// Reads the queues, and remembers enough of earlier readings to say how old their oldest messages are.
package final class QueueWatch: Sendable {
    private let inspector: QueueInspector
    private let histories = Mutex<[String: QueueHistory]>([:])

    package init(_ inspector: QueueInspector) {
        self.inspector = inspector
    }

    /// In a retry tier no message is older than the tier's pause, and messages leave it without an acknowledgement.
    package func read() async throws -> BrokerReading {
        var reading = try await inspector.read()
        let now = RuntimeEnvironment.instant
        reading.queues = histories.withLock { histories in
            reading.queues.map { queue in
                guard queue.purpose != .retry, let unacked = queue.unacked, let gone = queue.acknowledged else {
                    return queue
                }
                let age = histories[queue.name, default: QueueHistory()]
                    .note(waiting: queue.ready + unacked, gone: gone, at: now)
                var queue = queue
                queue.oldestAgeSeconds = age.map { Int($0.components.seconds) }
                return queue
            }
        }
        return reading
    }
}
