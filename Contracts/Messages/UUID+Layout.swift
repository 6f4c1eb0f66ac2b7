import FoundationEssentials

extension UUID {
    /// Lays out 48 bits of time, the version, and 74 bits of `high` and `low` as RFC 9562 says for versions 7 and 8.
    package init(milliseconds: UInt64, version: UInt8, _ high: UInt64, _ low: UInt64) {
        func byte(_ word: UInt64, _ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: word >> UInt64(index * 8)) }
        self.init(
            uuid: (
                byte(milliseconds, 5), byte(milliseconds, 4), byte(milliseconds, 3),
                byte(milliseconds, 2), byte(milliseconds, 1), byte(milliseconds, 0),
                version << 4 | byte(high, 1) & 0x0F, byte(high, 0),
                0x80 | byte(low, 7) & 0x3F, byte(low, 6), byte(low, 5), byte(low, 4),
                byte(low, 3), byte(low, 2), byte(low, 1), byte(low, 0)
            ))
    }

    /// The leading 48 bits: the creation time of a version 7 or 8 identifier.
    package var leadingMilliseconds: UInt64 {
        let (a, b, c, d, e, f, _, _, _, _, _, _, _, _, _, _) = uuid
        return [a, b, c, d, e, f].reduce(0) { $0 << 8 | UInt64($1) }
    }

    package func withBytes<R>(_ body: ([UInt8]) throws -> R) rethrows -> R {
        let (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) = uuid
        return try body([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
    }

    /// The canonical lower-case text.
    package var lowercaseText: String {
        withBytes { bytes in
            var text: [UInt8] = []
            text.reserveCapacity(36)
            for (index, byte) in bytes.enumerated() {
                if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
                text.append(Self.hexadecimal[Int(byte >> 4)])
                text.append(Self.hexadecimal[Int(byte & 0x0F)])
            }
            return String(decoding: text, as: UTF8.self)
        }
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
}
