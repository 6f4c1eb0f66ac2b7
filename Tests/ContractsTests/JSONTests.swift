import Chance
import Connections
import Contracts
import FleetRuntime
import Foundation
import Testing
import WireJSON

@Suite struct `JSON that is written` {
    @Test func `is what Foundation writes, with the keys in order`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        var generator = SeededChance(seed: 4)
        for _ in 0..<500 {
            let sample = Sample.random(depth: 3, using: &generator)
            #expect(try WireFormat.canonicalText(sample) == String(decoding: encoder.encode(sample), as: UTF8.self))
        }
    }

    @Test func `has its keys in the order of the code, unless they are asked for in their own`() throws {
        let id = try #require(TicketID("0198f0a2-7c00-7123-9abc-def012345678"))
        let ticket = IssuedTicket(id: id, tier: "A", seat: "1")
        #expect(try WireFormat.text(ticket) == #"{"id":"\#(id)","tier":"A","seat":"1"}"#)
        #expect(try WireFormat.canonicalText(ticket) == #"{"id":"\#(id)","seat":"1","tier":"A"}"#)
        #expect(try WireFormat.canonicalText(["b": 1, "a": 2, "c": 3]) == #"{"a":2,"b":1,"c":3}"#)
    }

    @Test func `has times as RFC 3339, wherever they stand`() throws {
        let date = Date(timeIntervalSince1970: 1_709_251_199.5)
        let text = #"{"at":[null,"2024-02-29T23:59:59.500Z"]}"#
        #expect(try WireFormat.text(["at": [nil, date]]) == text)
        #expect(try WireFormat.decode([String: [Date?]].self, fromText: text) == ["at": [nil, date]])
        #expect(try WireFormat.text(date) == #""2024-02-29T23:59:59.500Z""#)
    }

    @Test func `says no number that there is none for`() {
        #expect(throws: EncodingError.self) { try WireFormat.encode(["x": Double.nan]) }
        #expect(throws: EncodingError.self) { try WireFormat.encode([Double.infinity]) }
    }

    @Test func `is read as it was, whatever a string is made of`() throws {
        let texts = (0..<0x180).compactMap(Unicode.Scalar.init).map { "<\($0)>" } + ["\u{2028}🎫\u{10FFFF}", ""]
        #expect(try WireFormat.decode([String].self, from: WireFormat.encode(texts)) == texts)
        #expect(try JSONDecoder().decode([String].self, from: WireFormat.encode(texts)) == texts)
    }
}

@Suite struct `JSON that is read` {
    @Test func `gives what Foundation's gives`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted]
        var generator = SeededChance(seed: 7)
        for _ in 0..<500 {
            let sample = Sample.random(depth: 3, using: &generator)
            #expect(try WireFormat.decode(Sample.self, from: encoder.encode(sample)) == sample)
        }
    }

    @Test(arguments: [
        #""a\"\\\/\b\f\n\r\tz""#: "a\"\\/\u{8}\u{c}\n\r\tz", #""\u0041\u00e9\u20AC""#: "Aé€", #""\ud83c\udfab""#: "🎫",
        #" "" "#: "",
    ])
    func `may escape what it likes`(text: String, meaning: String) throws {
        #expect(try WireFormat.decode(String.self, fromText: text) == meaning)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[", "[1", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:1}",
        "{\"a\":1 \"b\":2}", "1 2", "[]]", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "NaN", "tru", "nul", "True",
        "'a'", "\"a", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud83c\"", "\"\\udfab\"", "\"\\ud83c\\u0041\"",
        "\"\n\"", "\"\u{1}\"", "\u{FEFF}1", "[1]\u{0}", String(repeating: "[", count: 100_000),
    ])
    func `is refused when it is not well-formed`(text: String) {
        #expect(throws: JSONSyntaxError.self) { try JSONText(text.utf8) }
        #expect(throws: DecodingError.self) { try WireFormat.decode(Money.self, fromText: text) }
    }

    @Test(arguments: [("[1,]", 3), ("{\"a\" 1}", 5), ("\"\\x\"", 1), ("[1] 2", 4)])
    func `is refused with the place of the flaw`(text: String, place: Int) {
        #expect(throws: JSONSyntaxError.self) { try JSONText(text.utf8) }
        #expect { try JSONText(text.utf8) } throws: { ($0 as? JSONSyntaxError)?.offset == place }
    }

    @Test func `must be UTF-8`() {
        #expect(throws: JSONSyntaxError.self) { try JSONText([0x22, 0xC3, 0x28, 0x22]) }
        #expect(throws: JSONSyntaxError.self) { try JSONText("\"a\"".utf16.flatMap { [0, UInt8($0)] }) }
    }

    @Test(arguments: ["2": 2, "2.0": 2, "2e2": 200, "-0": 0, "9223372036854775807": Int.max])
    func `may write a whole number as it likes`(text: String, number: Int) throws {
        #expect(try WireFormat.decode(Int.self, fromText: text) == number)
    }

    @Test func `does not cut numbers off`() {
        #expect(throws: DecodingError.self) { try WireFormat.decode(Int.self, fromText: "2.5") }
        #expect(throws: DecodingError.self) { try WireFormat.decode(Int.self, fromText: "9223372036854775808") }
        #expect(throws: DecodingError.self) { try WireFormat.decode(UInt8.self, fromText: "256") }
        #expect(throws: DecodingError.self) { try WireFormat.decode(Double.self, fromText: "1e999") }
    }

    @Test func `counts the first of two values with one key`() throws {
        #expect(try WireFormat.decode([String: Int].self, fromText: #"{"a":1,"\u0061":2}"#)["a"] == 1)
        let money = try WireFormat.decode(Money.self, fromText: #"{"minor":1,"currency":"EUR","minor":2}"#)
        #expect(money.minor == 1)
    }

    @Test(arguments: [
        (#"{"list":[{"minor":1,"currency":"EUR"},{"minor":"x","currency":"EUR"}]}"#, "list.1.minor"),
        (#"{"list":[{"minor":null,"currency":"EUR"}]}"#, "list.0.minor"),
        (#"{"list":[{"currency":"EUR"}]}"#, "list.0"),
        (#"{"list":{}}"#, "list"), (#"{"at":"yesterday","list":[]}"#, "at"), ("[]", ""),
    ])
    func `tells the place of what does not fit`(text: String, place: String) throws {
        let error = #expect(throws: DecodingError.self) { try WireFormat.decode(Holder.self, fromText: text) }
        let path: [any CodingKey]? =
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
                .dataCorrupted(let context):
                context.codingPath
            default: nil
            }
        #expect(path?.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".") == place)
    }

    /// What comes over the wire is anybody's.
    @Test func `never ends the process, however it was damaged`() throws {
        var generator = SeededChance(seed: 11)
        let sound = Array(try WireFormat.encode(Sample.random(depth: 4, using: &generator)))
        for _ in 0..<20_000 {
            var bytes = sound
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(try #require("{}[]\",:\\u0".utf8.randomElement(using: &generator)), at: place)
                }
            }
            do {
                _ = try WireFormat.decode(Sample.self, from: Data(bytes))
            } catch is DecodingError {
                continue
            }
        }
    }
}

private struct Holder: Decodable {
    let at: Date?
    let list: [Money]
}

/// Every kind of value that a message may hold.
private struct Sample: Codable, Equatable {
    enum Choice: Codable, Equatable {
        case nothing
        case one(Int)
        case named(text: String, flags: [Bool])
    }

    var word: String
    var small: Int8
    var big: UInt64
    var fraction: Double
    var flag: Bool?
    var choice: Choice
    var table: [String: Int]
    var list: [[String?]]
    var children: [Sample]

    static func random(depth: Int, using generator: inout SeededChance) -> Sample {
        func text() -> String {
            let letters = ["a", "é", "🎫", "\"", "\\", "\n", "\u{1}", "/", "\u{7f}", "e\u{301}"]
            return (0..<Int.random(in: 0...6, using: &generator)).compactMap { _ in
                letters.randomElement(using: &generator)
            }.joined()
        }
        let choices: [Choice] = [
            .nothing, .one(Int.random(in: -9...9, using: &generator)), .named(text: text(), flags: [true]),
        ]
        return Sample(
            word: text(), small: .random(in: .min ... .max, using: &generator),
            big: .random(in: .min ... .max, using: &generator),
            fraction: Double(Int.random(in: -1_000...1_000, using: &generator)) / 4,
            flag: [true, false, nil].randomElement(using: &generator) ?? nil,
            choice: choices[Int.random(in: 0..<3, using: &generator)],
            table: ["z": 1, "aa": 2, "a": 3],
            list: [[], [nil, text()]],
            children: depth == 0 ? [] : (0..<2).map { _ in random(depth: depth - 1, using: &generator) })
    }
}
