import ContractDocuments
import Contracts
import Foundation
import TestKit
import Testing
import WireJSON

@Suite struct `The rule for text` {
    @Test(arguments: Poison.refused)
    func `refuses what would trip a reader`(poison: Poison) {
        #expect(!TextRule.permits(poison.text))
        #expect(!TextRule.fits(poison.text, upTo: 1_000))
    }

    @Test(arguments: Poison.taken)
    func `takes what people write`(poison: Poison) {
        #expect(TextRule.permits(poison.text))
        #expect(TextRule.fits(poison.text, upTo: 255))
    }

    @Test func `counts code points, and wants at least one`() {
        #expect(!TextRule.fits("", upTo: 3))
        #expect(TextRule.fits("äöü", upTo: 3))
        #expect(!TextRule.fits("äöüß", upTo: 3))
        #expect(!TextRule.fits("e\u{301}\u{301}\u{301}", upTo: 3))
    }

    /// Every code point of the first plane, and the limits of the others.
    @Test func `is the pattern of the contract`() throws {
        let pattern = try #require(
            ContractDocument.asyncapi.get()[["components", "schemas", "TierName", "pattern"]]?.text)
        let expression = try NSRegularExpression(pattern: pattern)
        let scalars = ((0...0xFFFF) + [0x10000, 0x1FFFE, 0xE0001, 0x10FFFF]).compactMap { Unicode.Scalar(UInt32($0)) }
        for scalar in scalars {
            let text = String(scalar)
            let whole = NSRange(location: 0, length: text.utf16.count)
            // A `$` of ICU stands before a line break at the end too.
            let isTaken = expression.firstMatch(in: text, range: whole)?.range == whole
            if isTaken != TextRule.permits(text) { Issue.record("U+\(String(scalar.value, radix: 16))") }
        }
    }
}

@Suite struct `Text for a terminal` {
    @Test(arguments: Poison.all) func `holds nothing raw`(poison: Poison) throws {
        #expect(Poison.rawLines(in: VisibleText.escaped(poison.text)).isEmpty)
        #expect(!VisibleText.escaped(poison.text).contains("\n"))
        let json = try WireFormat.text([poison.text])
        let shown = VisibleText.document(json)
        #expect(Poison.rawLines(in: shown).isEmpty)
        #expect(
            try WireFormat.decode([String].self, fromText: shown).map { Array($0.utf8) } == [Array(poison.text.utf8)])
    }

    @Test func `shows as escapes what a terminal would obey, and the rest as it is`() {
        #expect(VisibleText.escaped("\u{1B}[2J\u{9B}1m") == #"\u{1b}[2J\u{9b}1m"#)
        #expect(VisibleText.escaped("a\r\n\tb\u{2028}\u{202E}") == #"a\r\n\tb\u{2028}\u{202e}"#)
        for text in ["größer", "👩‍🚒", "क्‍ष", "שלום", #"a\b"c"#] { #expect(VisibleText.escaped(text) == text) }
    }
}

@Suite struct `Exact text` {
    @Test func `is equal to the same code points only`() {
        let (composed, combining) = ("\u{E9}", "e\u{301}")
        #expect(composed == combining)
        #expect(ExactText(composed) != ExactText(combining))
        #expect(Set([composed, combining].map(ExactText.init)).count == 2)
        #expect((ExactText(composed) < ExactText(combining)) != (ExactText(combining) < ExactText(composed)))
    }
}

@Suite struct `An amount of money` {
    @Test(
        arguments: [
            ("EUR", 4_990, "49.90 EUR"), ("JPY", 5_000, "5000 JPY"), ("KWD", 5_000, "5.000 KWD"),
            ("CLF", 7, "0.0007 CLF"), ("USD", -1, "-0.01 USD"), ("EUR", Int64.min, "-92233720368547758.08 EUR"),
        ] as [(String, Int64, String)])
    func `has the digits of its currency`(currency: String, minor: Int64, text: String) {
        #expect(Money(currency: currency, minor: minor).readable == text)
    }
}
