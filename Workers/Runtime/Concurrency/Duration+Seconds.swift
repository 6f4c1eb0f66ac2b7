import FoundationEssentials

extension Duration {
    /// The length in seconds, fractions included.
    package var seconds: TimeInterval {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }
}
