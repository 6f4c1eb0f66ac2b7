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

    /// The sixteen bytes in the order of the text form.
    package var bytes: [16 of UInt8] {
        let (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p) = uuid
        return [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    /// The canonical lower-case text.
    package var lowercaseText: String {
        let bytes = bytes
        var text = [36 of UInt8](repeating: UInt8(ascii: "-"))
        var position = 0
        for index in bytes.indices {
            if position == 8 || position == 13 || position == 18 || position == 23 { position += 1 }
            text[position] = Self.digit(bytes[index] >> 4)
            text[position + 1] = Self.digit(bytes[index] & 0x0F)
            position += 2
        }
        return text.asText
    }

    /// Reads the 36-character text form, in either case.
    ///
    /// Foundation's own reader goes through `sscanf`, which costs more than the rest of decoding an envelope.
    package init?(text: String) {
        self.init(digits: text.utf8Span.span)
    }

    package init?(text: Substring) {
        self.init(digits: text.utf8Span.span)
    }

    private init?(digits: Span<UInt8>) {
        guard digits.count == 36 else { return nil }
        var (high, low) = (UInt64(0), UInt64(0))
        for position in digits.indices {
            let character = digits[position]
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard character == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = Self.value(of: character) else { return nil }
            if position < 18 { high = high << 4 | digit } else { low = low << 4 | digit }
        }
        self.init(high, low)
    }

    private init(_ high: UInt64, _ low: UInt64) {
        func byte(_ word: UInt64, _ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: word >> UInt64(56 - index * 8)) }
        self.init(
            uuid: (
                byte(high, 0), byte(high, 1), byte(high, 2), byte(high, 3),
                byte(high, 4), byte(high, 5), byte(high, 6), byte(high, 7),
                byte(low, 0), byte(low, 1), byte(low, 2), byte(low, 3),
                byte(low, 4), byte(low, 5), byte(low, 6), byte(low, 7)
            ))
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private static func value(of character: UInt8) -> UInt64? {
        let number = character &- UInt8(ascii: "0")
        if number < 10 { return UInt64(number) }
        let letter = (character | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? UInt64(letter) + 10 : nil
    }
}

extension [36 of UInt8] {
    fileprivate var asText: String {
        do {
            return String(copying: try UTF8Span(validating: span))
        } catch {
            preconditionFailure("digits and dashes are UTF-8")
        }
    }
}
