import Contracts

extension Money {
    /// As people write it, with two decimals.
    package var readable: String {
        let cents = minor % 100
        return "\(minor / 100).\(cents < 10 ? "0" : "")\(cents) \(currency)"
    }
}
