import Synchronization

/// What each part of a process says of itself; readiness is the sum.
package final class HealthBoard: Sendable {
    package enum Status: Sendable, Equatable {
        case ready
        /// Slower or staler than usual, and still correct.
        case degraded(String)
        case failed(String)
    }

    package struct Report: Sendable {
        package let components: [(name: String, status: Status)]

        package var isReady: Bool {
            !components.isEmpty
                && components.allSatisfy { component in
                    if case .failed = component.status { false } else { true }
                }
        }
    }

    private let statuses = Mutex<[String: Status]>([:])

    package init() {}

    /// Names a part that must report before the process is ready.
    package func expect(_ component: String) {
        statuses.withLock { $0[component] = .failed("starting") }
    }

    package func report(_ status: Status, for component: String) {
        statuses.withLock { $0[component] = status }
    }

    package var report: Report {
        Report(components: statuses.withLock { $0 }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
    }
}
