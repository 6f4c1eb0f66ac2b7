import FoundationEssentials

/// How long a saga asks again before something else must happen.
package enum TimeoutPolicy<Input: Sendable & Equatable>: Sendable, Equatable {
    /// The usual number of attempts, then the input.
    case attempts(then: Input)
    /// Until a time by the database's clock, then the input.
    case until(Date, then: Input)
    /// For ever; after the usual number of attempts an operator is called.
    case endless
}
