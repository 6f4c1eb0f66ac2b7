/// Spares a provider that does not answer, and us the wait for it.
///
/// Closed, it lets every call through. After `threshold` failures in a row it opens, and refuses; after `pause` it
/// lets one call through at a time, whose success closes it.
package struct CircuitBreaker: Sendable, Equatable {
    package typealias Instant = ContinuousClock.Instant

    package enum State: Sendable, Equatable {
        case closed(failures: Int)
        case open(until: Instant)
        /// One call is under way; if nothing is heard of it by then, the next may try.
        case probing(until: Instant)
    }

    package let threshold: Int
    package let pause: Duration
    package private(set) var state = State.closed(failures: 0)

    package init(threshold: Int, pause: Duration) {
        self.threshold = threshold
        self.pause = pause
    }

    /// Whether a call may be made now; an admitted call must be followed by `succeeded` or `failed`.
    package mutating func admits(at now: Instant) -> Bool {
        switch state {
        case .closed: return true
        case .open(let time), .probing(let time):
            guard now >= time else { return false }
            state = .probing(until: now + pause)
            return true
        }
    }

    /// What has changed for those who ask.
    package enum Turn: Sendable, Equatable { case opened, closed }

    @discardableResult
    package mutating func succeeded() -> Turn? {
        defer { state = .closed(failures: 0) }
        if case .closed = state { return nil }
        return .closed
    }

    @discardableResult
    package mutating func failed(at now: Instant) -> Turn? {
        switch state {
        case .closed(let failures) where failures + 1 < threshold:
            state = .closed(failures: failures + 1)
            return nil
        case .closed:
            state = .open(until: now + pause)
            return .opened
        case .probing:
            state = .open(until: now + pause)
            return nil
        // Calls that were under way when it opened say nothing new.
        case .open: return nil
        }
    }
}
