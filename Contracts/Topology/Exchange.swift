import Contracts

/// The fleet's exchanges; all durable.
package enum Exchange: String, Sendable, CaseIterable {
    case commands = "turnstile.commands"
    case replies = "turnstile.replies"
    case events = "turnstile.events"
    case dead = "turnstile.dead"

    package var type: String {
        switch self {
        case .commands, .replies, .dead: "direct"
        case .events: "topic"
        }
    }
}
