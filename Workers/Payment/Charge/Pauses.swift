/// How long a charge waits before the provider is asked again.
///
/// Doubles with every attempt in vain up to a limit, and a random half is taken off, so that charges that failed
/// together do not come back together. Nothing is ever given up.
package struct Pauses: Sendable {
    package var first: Duration
    package var limit: Duration
    /// Refunds have time, and a provider that refuses one will do so for long.
    package var refundLimit: Duration

    package init(
        first: Duration = .milliseconds(200), limit: Duration = .seconds(15), refundLimit: Duration = .seconds(300)
    ) {
        self.first = first
        self.limit = limit
        self.refundLimit = refundLimit
    }

    /// The pause after so many attempts in vain; `chance` is a random number from 0 to 1.
    package func pause(after attempts: Int, of operation: Charge.Operation, chance: Double) -> Duration {
        let limit = operation == .refund ? refundLimit : limit
        let ceiling = min(limit, first * (1 << min(max(attempts - 1, 0), 30)))
        return ceiling * (0.5 + 0.5 * chance)
    }
}
