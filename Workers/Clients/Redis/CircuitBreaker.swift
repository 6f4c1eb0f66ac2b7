/// Stops asking a server that failed several times in a row, and lets one call try again after a pause.
package struct CircuitBreaker: Sendable {
    package enum State: String, Sendable {
        /// Everything is tried.
        case closed
        /// Nothing is tried.
        case open
        /// One call is trying.
        case halfOpen
    }

    package private(set) var state = State.closed
    private let limit: Int
    private let pause: Duration
    private var failures = 0
    private var retryAt = ContinuousClock.now

    package init(failures limit: Int, pause: Duration) {
        self.limit = limit
        self.pause = pause
    }

    /// Whether a call may be made; the one that ends a pause must report how it went.
    package mutating func admits(at now: ContinuousClock.Instant) -> Bool {
        switch state {
        case .closed: return true
        case .halfOpen: return false
        case .open:
            guard now >= retryAt else { return false }
            state = .halfOpen
            return true
        }
    }

    /// Reports a call that went well; answers whether that ended a bad time.
    package mutating func succeed() -> Bool {
        defer { state = .closed }
        failures = 0
        return state != .closed
    }

    /// Reports a call that failed; answers whether that began a bad time.
    package mutating func fail(at now: ContinuousClock.Instant) -> Bool {
        failures += 1
        guard state == .halfOpen || failures >= limit else { return false }
        defer { state = .open }
        retryAt = now + pause
        return state == .closed
    }
}
