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
    package func read() async throws -> [QueueReading] {
        let readings = try await inspector.queues()
        let now = World.instant
        return histories.withLock { histories in
            readings.map { reading in
                guard reading.purpose != .retry, let unacked = reading.unacked, let gone = reading.acknowledged else {
                    return reading
                }
                let age = histories[reading.name, default: QueueHistory()]
                    .note(waiting: reading.ready + unacked, gone: gone, at: now)
                var reading = reading
                reading.oldestAgeSeconds = age.map { Int($0.components.seconds) }
                return reading
            }
        }
    }
}
