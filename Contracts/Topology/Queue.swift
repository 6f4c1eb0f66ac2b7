import Contracts

/// A queue that a lane consumes; it brings its retry tiers and its place for dead letters.
package struct Queue: Sendable, Hashable {
    package let name: String

    package init(_ name: String) { self.name = name }

    package static let orchestratorCommands = Queue("orchestrator.commands")
    package static let orchestratorReplies = Queue("orchestrator.replies")
    package static let orchestrator = [orchestratorCommands, orchestratorReplies]

    /// The queue of the commands that `role` carries out.
    package static func commands(of role: FleetRole) -> Queue { Queue("\(role.rawValue).commands") }

    /// Every queue that work arrives in.
    package static let all = orchestrator + FleetRole.workers.map(commands(of:))

    package var dead: String { "\(name).dead" }

    package func retry(_ tier: RetryTier) -> String { "\(name).retry.\(tier.rawValue)" }
}

/// The fixed pauses before another attempt.
///
/// A queue per pause, because messages with their own time to live would wait behind longer ones.
package enum RetryTier: String, Sendable, CaseIterable {
    case second = "1s"
    case tenSeconds = "10s"
    case minute = "60s"

    package var pause: Duration {
        switch self {
        case .second: .seconds(1)
        case .tenSeconds: .seconds(10)
        case .minute: .seconds(60)
        }
    }

    /// The shortest tier that waits at least `pause`, or the longest there is.
    package static func waiting(atLeast pause: Duration) -> RetryTier {
        allCases.first { $0.pause >= pause } ?? .minute
    }
}
