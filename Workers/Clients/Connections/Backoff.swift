/// Spaces out attempts by exponential backoff with full jitter, so that a fleet does not return all at once.
package struct Backoff: Sendable {
    package let base: Duration
    package let limit: Duration
    package private(set) var attempts = 0

    package init(base: Duration = .milliseconds(200), limit: Duration = .seconds(10)) {
        self.base = base
        self.limit = limit
    }

    /// For a server that is gone: it is asked at once, then ever more seldom, and soon enough after it has come back.
    package static var reconnecting: Backoff { Backoff(base: .milliseconds(50), limit: .seconds(1)) }

    /// The next pause: a random part of `base * 2^attempts`, at most `limit`.
    package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let ceiling = min(limit, base * (1 << min(attempts, 20)))
        attempts += 1
        return ceiling * Double.random(in: 0...1, using: &generator)
    }

    package mutating func next() -> Duration {
        var chance = RuntimeEnvironment.chance
        return next(using: &chance)
    }

    /// Forgets earlier failures; call it after a success.
    package mutating func reset() {
        attempts = 0
    }
}
