/// Texts that have stopped, fooled or dirtied some system: what every field that takes text from outside is tried with.
package struct Poison: Sendable, CustomStringConvertible {
    /// What it is, in plain ASCII, so that a failing test can be read.
    package let name: String
    package let text: String

    package var description: String { name }

    /// Valid UTF-8 that the fleet must refuse wherever it comes in as text.
    package static let refused: [Poison] = [
        Poison(name: "NUL", text: "a\0b"),
        Poison(name: "bell and backspace", text: "a\u{7}\u{8}b"),
        Poison(name: "line feed", text: "a\nlevel=error forged=yes"),
        Poison(name: "carriage return", text: "a\rb"),
        Poison(name: "header end", text: "a\r\nX-Forged: yes\r\n\r\n<p>"),
        Poison(name: "terminal escape", text: "\u{1B}[2J\u{1B}[31mall is well\u{1B}[0m"),
        Poison(name: "terminal title", text: "\u{1B}]0;owned\u{7}"),
        Poison(name: "delete", text: "a\u{7F}b"),
        Poison(name: "C1 private use two", text: "o\u{92}brien"),
        Poison(name: "C1 control sequence introducer", text: "a\u{9B}31mb"),
        Poison(name: "next line", text: "a\u{85}b"),
        Poison(name: "line separator", text: "a\u{2028}b"),
        Poison(name: "paragraph separator", text: "a\u{2029}b"),
        Poison(name: "right-to-left override", text: "exe.\u{202E}fdp"),
        Poison(name: "bidi isolate", text: "a\u{2066}b\u{2069}c"),
        Poison(name: "byte order mark", text: "\u{FEFF}a"),
        Poison(name: "lost text", text: "Bestellung-\u{FFFD}"),
        Poison(name: "C0, all of it", text: String(String.UnicodeScalarView((0..<0x20).map { Unicode.Scalar($0) }))),
    ]

    /// Text that people have, or that only another system would stumble over: it may be taken, and then comes out as it
    /// went in.
    package static let taken: [Poison] = [
        Poison(name: "quotes of SQL", text: "Robert'); DROP TABLE saga;--"),
        Poison(name: "quotes of SQL, dollar", text: "$$ $1 \\' E'\\000' %s %n"),
        Poison(name: "quotes of HTML", text: "<script>alert(\"1\")</script>&amp;'"),
        Poison(name: "formula of CSV", text: "=HYPERLINK(\"http://x\",\"y\"),\"a\"\"b\""),
        Poison(name: "quotes of JSON", text: "{\"a\":\"\\u0000\"}"),
        Poison(name: "array of PostgreSQL", text: "{\"a\",NULL,\\\"b\\\"}"),
        Poison(name: "template", text: "{{userId}} ${jndi:x} %{x} #{x}"),
        Poison(name: "path", text: "../../etc/passwd"),
        Poison(name: "combining form", text: "E\u{301}-1"),
        Poison(name: "composed form", text: "\u{C9}-1"),
        Poison(name: "many marks", text: "Z\u{351}\u{36B}\u{343}\u{36A}\u{302}\u{36B}\u{33D}a\u{334}\u{319}"),
        Poison(name: "joined emoji", text: "\u{1F469}\u{200D}\u{1F692}\u{1F3F4}\u{E0067}\u{E007F}"),
        Poison(name: "joiners of Indic scripts", text: "\u{915}\u{94D}\u{200D}\u{937} \u{200C}"),
        Poison(name: "zero-width", text: "a\u{200B}\u{2060}b"),
        Poison(name: "mark of right-to-left text", text: "\u{5E9}\u{5DC}\u{5D5}\u{5DD}\u{200F}!"),
        Poison(name: "no break", text: "a\u{A0}\u{202F}b"),
        Poison(name: "astral", text: "\u{1D54F}\u{10FFFD}"),
        Poison(name: "words that mean nothing elsewhere", text: "null NULL nil NaN undefined true -0 1e400"),
        Poison(name: "255 bytes", text: String(repeating: "b", count: 255)),
        Poison(name: "255 characters", text: String(repeating: "\u{E9}", count: 255)),
        Poison(name: "one letter and 254 marks", text: "e" + String(repeating: "\u{301}", count: 254)),
    ]

    package static let all = refused + taken

    /// JSON strings, quotes included, that stand for no text.
    package static let brokenJSON: [Poison] = [
        Poison(name: "lone high surrogate", text: #""\ud800""#),
        Poison(name: "lone low surrogate", text: #""\udc00a""#),
        Poison(name: "surrogates in the wrong order", text: #""\udc00\ud800""#),
        Poison(name: "raw control", text: "\"a\u{1}b\""),
        Poison(name: "no such escape", text: #""\x41""#),
    ]

    /// Bytes that are no UTF-8.
    ///
    /// Texts made of them by replacement are one and the same.
    package static let bytes: [[UInt8]] = [
        Array("Bestellung-".utf8) + [0xC4], Array("Bestellung-".utf8) + [0xD6], [0xFF, 0xFE, 0x41],
        [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x80],
    ]

    /// Code points that must never reach a terminal or a log as they are.
    package static func isRaw(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x206F, 0xFEFF: true
        default: false
        }
    }

    /// The lines of an output that hold something raw; line feeds end lines.
    package static func rawLines(in output: String) -> [String] {
        output.unicodeScalars.split(separator: "\n").filter { $0.contains(where: isRaw) }
            .map { String(String.UnicodeScalarView($0)).debugDescription }
    }
}
