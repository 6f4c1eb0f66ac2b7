/// An amount in the minor unit of its currency: never a fraction, never a float.
package struct Money: Sendable, Hashable, Codable {
    /// ISO 4217, three capital letters.
    package let currency: String
    package let minor: Int64

    package init(currency: String, minor: Int64) {
        self.currency = currency
        self.minor = minor
    }

    package static func * (price: Money, count: Int) -> Money {
        Money(currency: price.currency, minor: price.minor * Int64(count))
    }
}

extension Money: CustomStringConvertible {
    package var description: String { "\(minor) \(currency) minor" }
}
