import Connections
import FoundationEssentials
import Synchronization

/// What each part of a process says of itself; readiness is the sum.
package final class HealthRegistry: Sendable {
    package enum Status: Sendable, Equatable {
        case ready
        /// Slower or staler than usual, and still correct.
        case degraded(String)
        case failed(String)

        /// The status in one word, as metrics and scripts read it.
        package var word: String {
            switch self {
            case .ready: "ready"
            case .degraded: "degraded"
            case .failed: "failed"
            }
        }

        /// Why it is not ready; nil when it is.
        package var reason: String? {
            switch self {
            case .ready: nil
            case .degraded(let reason), .failed(let reason): reason
            }
        }

        package var words: String { reason.map { "\(word): \($0)" } ?? word }
    }

    package struct Component: Sendable, Equatable {
        package let name: String
        package let status: Status
        /// When it became ready, degraded or failed; another reason for the same does not count.
        package let since: Date
    }

    package struct Report: Sendable {
        package let components: [Component]

        package var isReady: Bool { !components.isEmpty && components.allSatisfy { $0.status.word != "failed" } }

        /// Ready, degraded or unready: all parts in one word.
        package var word: String {
            if !isReady { return "unready" }
            return components.contains { $0.status.word == "degraded" } ? "degraded" : "ready"
        }
    }

    private let components = Mutex<[String: Component]>([:])
    /// Rung when a part becomes ready, degraded or failed.
    package let changes = AsyncSignal()

    package init() {}

    /// Names a part that must report before the process is ready.
    package func expect(_ component: String) {
        report(.failed("it has not started yet"), for: component)
    }

    package func report(_ status: Status, for component: String) {
        let hasChanged = components.withLock { components in
            let before = components[component]
            if before?.status == status { return false }
            let since = before?.status.word == status.word ? before?.since : nil
            components[component] = Component(name: component, status: status, since: since ?? RuntimeEnvironment.date)
            return since == nil
        }
        if hasChanged { changes.fire() }
    }

    package var report: Report {
        Report(components: components.withLock { $0 }.values.sorted { $0.name < $1.name })
    }
}

/// A part of a process that is not ready, as it stands on the roll.
package struct ComponentReading: Codable, Sendable, Equatable {
    private static let longestReason = 300

    package let name: String
    /// `degraded` or `failed`.
    package let status: String
    package let reason: String
    package let since: Date

    /// Nil for a part that is ready.
    ///
    /// The reason is shortened, and what is secret is taken out of it.
    package init?(_ component: HealthRegistry.Component) {
        guard let reason = component.status.reason else { return nil }
        name = component.name
        status = component.status.word
        self.reason = String(Redaction.redact(reason).prefix(Self.longestReason))
        since = component.since
    }
}

extension HealthRegistry {
    /// Asks a server that the process can do without, and reports whether it answered.
    ///
    /// - Parameter fallback: what is said while it does not answer.
    package func watching<Answer>(
        _ component: String, orElse fallback: Answer, _ question: () async throws -> Answer
    ) async -> Answer {
        do {
            let answer = try await question()
            report(.ready, for: component)
            return answer
        } catch {
            report(.degraded("\(error)"), for: component)
            return fallback
        }
    }
}
