import Hosting
import Logging
import Synchronization

/// Everything that was logged, as a process of the fleet would write it.
package final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    private let format: FleetLogHandler.Format

    package init(_ format: FleetLogHandler.Format = .json) {
        self.format = format
    }

    package var all: [String] { lines.withLock { $0 } }

    package func forget() { lines.withLock { $0 = [] } }

    package var logger: Logger { logger("fleet") }

    package func logger(_ label: String) -> Logger {
        Logger(label: label) { label in
            FleetLogHandler(label: label, level: .debug, format: self.format) { line in
                self.lines.withLock { $0.append(line) }
            }
        }
    }
}
