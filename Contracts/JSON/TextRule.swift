/// The one rule for text that comes from outside: over HTTP, in AMQP properties and in bodies.
///
/// Refused is what PostgreSQL cannot hold, what ends or turns a line for some reader, and what only stands where other
/// text was lost. Everything else is taken as it came, in any script; nothing is changed silently.
/// `Contracts/shapes.yaml` says the same as a pattern.
package enum TextRule {
    /// Whether a code point may stand in a text.
    ///
    /// - Control characters (C0, DEL, C1), NUL among them: terminals, logs and mail headers obey them.
    /// - U+2028 and U+2029: line and paragraph separators.
    /// - U+202A to U+202E and U+2066 to U+206F: embeddings, overrides and isolates let a line show other words than it
    ///   holds. The plain marks U+200E, U+200F and U+061C stay, as do the joiners that emoji and Indic scripts need.
    /// - U+FEFF, U+FFFE, U+FFFF and U+FDD0 to U+FDEF: a byte order mark, and code points that are no characters.
    /// - U+FFFD: it replaces bytes that were no UTF-8, so two different texts could have become this one.
    package static func permits(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x7E, 0xA0...0x2027, 0x2030...0x2065, 0x2070...0xFDCF, 0xFDF0...0xFEFE, 0xFF00...0xFFFC, 0x10000...:
            true
        case 0x202F: true
        default: false
        }
    }

    /// Whether all of a text may stand there; of most texts one look at the bytes is enough.
    package static func permits(_ text: String) -> Bool {
        isPlainASCII(text.utf8) || text.unicodeScalars.allSatisfy(permits)
    }

    /// Whether a text fits a field: something to see, no longer than `limit` code points, nothing forbidden.
    package static func fits(_ text: String, upTo limit: Int) -> Bool {
        isMeasured(text, upTo: limit) && permits(text)
    }

    /// Whether a worker can keep a text that the orchestrator let in, perhaps under an older rule.
    package static func isStorable(_ text: String, upTo limit: Int) -> Bool {
        isMeasured(text, upTo: limit) && !text.utf8.contains(0)
    }

    /// What is wrong with a text that does not fit, for people.
    package static func demand(upTo limit: Int) -> String {
        "must have 1 to \(limit) characters, none of them control characters or invisible marks"
    }

    package static let demand = "must not hold control characters or invisible marks"

    /// A character is a code point, so that no text is longer than it counts.
    private static func isMeasured(_ text: String, upTo limit: Int) -> Bool {
        !text.isEmpty && (text.utf8.count <= limit || text.unicodeScalars.count <= limit)
    }

    private static func isPlainASCII(_ bytes: String.UTF8View) -> Bool { bytes.allSatisfy { $0 &- 0x20 < 0x5F } }
}
