/// The escapes in JSON strings (RFC 8259, section 7).
enum JSONEscapes {
    /// How long the escape is that begins here, a pair of surrogates as one; nil when it is none.
    static func length(of bytes: ArraySlice<UInt8>) -> Int? {
        guard let letter = bytes.dropFirst().first else { return nil }
        guard letter == UInt8(ascii: "u") else { return simple[letter] == nil ? nil : 2 }
        guard let unit = unit(bytes) else { return nil }
        if UTF16.isTrailSurrogate(unit) { return nil }
        guard UTF16.isLeadSurrogate(unit) else { return 6 }
        guard let trail = self.unit(bytes.dropFirst(6)), UTF16.isTrailSurrogate(trail) else { return nil }
        return 12
    }

    /// The text that a string with well-formed escapes stands for, in UTF-8.
    static func resolved(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var rest = bytes
        while let byte = rest.first {
            guard byte == UInt8(ascii: "\\"), let length = length(of: rest) else {
                result.append(byte)
                rest = rest.dropFirst()
                continue
            }
            if length == 2 {
                result.append(simple[rest[rest.startIndex + 1]] ?? byte)
            } else {
                let units = stride(from: 0, to: length, by: 6).compactMap { unit(rest.dropFirst($0)) }
                result.append(contentsOf: String(decoding: units, as: UTF16.self).utf8)
            }
            rest = rest.dropFirst(length)
        }
        return result[...]
    }

    static func mustEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// A byte of UTF-8 as it stands in a string.
    static func escaped(_ byte: UInt8) -> [UInt8] {
        guard mustEscape(byte) else { return [byte] }
        if let letter = letters[byte] { return [UInt8(ascii: "\\"), letter] }
        return Array("\\u00\(byte < 0x10 ? "0" : "")\(String(byte, radix: 16))".utf8)
    }

    /// The bytes that the letters after a backslash stand for.
    private static let simple: [UInt8: UInt8] = [
        UInt8(ascii: "\""): UInt8(ascii: "\""), UInt8(ascii: "\\"): UInt8(ascii: "\\"),
        UInt8(ascii: "/"): UInt8(ascii: "/"), UInt8(ascii: "b"): 0x08, UInt8(ascii: "f"): 0x0C,
        UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
    ]

    private static let letters = Dictionary(uniqueKeysWithValues: simple.map { ($1, $0) })

    /// The code unit of a `\uXXXX`.
    private static func unit(_ bytes: ArraySlice<UInt8>) -> UInt16? {
        let head = bytes.prefix(6)
        guard head.count == 6, head.starts(with: "\\u".utf8) else { return nil }
        let digits = head.dropFirst(2)
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }
}
