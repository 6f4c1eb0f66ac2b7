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

extension Money {
    /// The amount as people write it, such as `49.90 EUR`, `5000 JPY` or `5.000 KWD`.
    package var readable: String {
        let digits = Self.fractionDigits(of: currency)
        guard digits > 0 else { return "\(minor) \(currency)" }
        let figures = String(minor.magnitude)
        let padded = String(repeating: "0", count: max(0, digits + 1 - figures.count)) + figures
        return "\(minor < 0 ? "-" : "")\(padded.dropLast(digits)).\(padded.suffix(digits)) \(currency)"
    }

    /// How many digits of the minor unit stand behind the point: ISO 4217's column "minor unit".
    private static func fractionDigits(of currency: String) -> Int {
        switch currency {
        case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
            "XOF", "XPF":
            0
        case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
        case "CLF", "UYW": 4
        default: 2
        }
    }
}
