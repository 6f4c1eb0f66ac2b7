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

    package mutating func succeeded() {
        state = .closed(failures: 0)
    }

    package mutating func failed(at now: Instant) {
        switch state {
        case .closed(let failures):
            state = failures + 1 < threshold ? .closed(failures: failures + 1) : .open(until: now + pause)
        case .probing: state = .open(until: now + pause)
        // Calls that were under way when it opened say nothing new.
        case .open: break
        }
    }
}
