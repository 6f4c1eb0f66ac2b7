/// Text as it may reach a terminal or a log: what would move a cursor, end a line or hide shows as an escape.
///
/// What came from outside may stand in the database since an older rule, or in a dead letter as it came.
package enum VisibleText {
    /// Escapes as Swift writes them, such as `\u{1b}`; the rest of the text stays as it is.
    package static func escaped(_ text: String) -> String {
        replacing(in: text) { scalar in
            switch scalar {
            case "\n": "\\n"
            case "\r": "\\r"
            case "\t": "\\t"
            default: "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
    }

    /// Escapes as JSON writes them, such as `\u001b`: inside a JSON string the same text.
    package static func escapedForJSON(_ text: String) -> String {
        replacing(in: text) { scalar in
            String(scalar).utf16.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        }
    }

    /// A JSON document for a terminal: an equal document, in which nothing is raw.
    ///
    /// Line breaks between its values stay.
    package static func document(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { escapedForJSON(String($0)) }
            .joined(separator: "\n")
    }

    /// Whether a code point has no form of its own on a screen.
    ///
    /// Joiners have none either, but emoji and Indic scripts
    /// fall apart without them.
    package static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        if (0x20...0x7E).contains(scalar.value) { return false }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: return true
        case .format: return scalar.value != 0x200C && scalar.value != 0x200D
        default: return scalar.properties.isNoncharacterCodePoint
        }
    }

    private static func replacing(in text: String, with escape: (Unicode.Scalar) -> String) -> String {
        guard !text.utf8.allSatisfy({ $0 &- 0x20 < 0x5F }) else { return text }
        var visible = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isHidden(scalar) {
                visible.append(contentsOf: escape(scalar).unicodeScalars)
            } else {
                visible.append(scalar)
            }
        }
        return String(visible)
    }
}
