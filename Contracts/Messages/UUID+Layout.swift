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

    /// Reads the 36-character text form, in either case.
    ///
    /// Foundation's own reader goes through `sscanf`, which costs more than the rest of decoding an envelope.
    package init?(text: some StringProtocol) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(16)
        var high: UInt8?
        var position = 0
        for character in text.utf8 {
            defer { position += 1 }
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard character == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = Self.value(of: character) else { return nil }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        guard position == 36, bytes.count == 16 else { return nil }
        self.init(
            uuid: (
                bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7], bytes[8], bytes[9],
                bytes[10], bytes[11], bytes[12], bytes[13], bytes[14], bytes[15]
            ))
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    private static let hexadecimal = Array("0123456789abcdef".utf8)
}
