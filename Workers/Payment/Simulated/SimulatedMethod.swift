/// What a payment method token tells the simulated provider to do.
package enum SimulatedMethod: Sendable, Hashable {
    case ok
    case declined
    /// The charge is made, and the first answer to it is lost.
    case timeoutAfterCharge
    /// Two failures, then a charge.
    case flaky
    /// Pending, and captured after that time by the database's clock.
    case slow(milliseconds: Int)
    /// Pending until closed.
    case never
    /// Pending, and captured when asked to close.
    case late
    case unknown

    package init(token: String) {
        switch token {
        case "sim_ok": self = .ok
        case "sim_declined": self = .declined
        case "sim_timeout_after_charge": self = .timeoutAfterCharge
        case "sim_flaky": self = .flaky
        case "sim_never": self = .never
        case "sim_late": self = .late
        default: self = Self.slow(token) ?? .unknown
        }
    }

    private static func slow(_ token: String) -> SimulatedMethod? {
        let prefix = "sim_slow:"
        guard token.hasPrefix(prefix), let time = Int(token.dropFirst(prefix.count)), (0...86_400_000).contains(time)
        else { return nil }
        return .slow(milliseconds: time)
    }
}

extension SimulatedMethod {
    /// How the first call leaves the charge.
    var firstStatus: SimulatedCharge.Status {
        switch self {
        case .ok, .timeoutAfterCharge: .captured
        case .declined, .unknown: .declined
        case .flaky, .slow, .never, .late: .pending
        }
    }

    var declineReason: String? {
        switch self {
        case .declined: "card-declined"
        case .unknown: "unknown-method"
        case .ok, .timeoutAfterCharge, .flaky, .slow, .never, .late: nil
        }
    }

    var capturesOnCall: Int? { self == .flaky ? 3 : nil }

    var capturesAfterMilliseconds: Int? {
        if case .slow(let time) = self { time } else { nil }
    }

    var capturesWhenClosed: Bool { self == .late }
}
