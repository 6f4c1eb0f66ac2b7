/// Finds the values of a JSON text, and what is wrong with it.
struct JSONParser {
    /// How deep objects and arrays may nest: far more than a message does, far less than a stack holds.
    private static let depthLimit = 64

    private let bytes: [UInt8]
    private var position = 0
    private var nodes: [JSONText.Node] = []

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        nodes.reserveCapacity(min(bytes.count / 8 + 1, 4_096))
    }

    mutating func parse() throws(JSONSyntaxError) -> [JSONText.Node] {
        guard bytes.count < Int32.max else { throw flaw("more than 2 GiB") }
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw flaw("no UTF-8")
        }
        skipSpace()
        try value(depth: 0)
        guard position == bytes.count else { throw flaw("more than one value") }
        return nodes
    }

    // MARK: - Values

    /// Reads a value and the space behind it.
    private mutating func value(depth: Int) throws(JSONSyntaxError) {
        guard depth < Self.depthLimit else { throw flaw("nested too deeply") }
        switch byte {
        case UInt8(ascii: "{"): try object(depth: depth)
        case UInt8(ascii: "["): try array(depth: depth)
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
        case UInt8(ascii: "t"): try word("true", .yes)
        case UInt8(ascii: "f"): try word("false", .no)
        case UInt8(ascii: "n"): try word("null", .null)
        default: throw flaw("no value")
        }
        skipSpace()
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) {
        let index = open(.object)
        if !take(UInt8(ascii: "}")) {
            repeat {
                skipSpace()
                guard byte == UInt8(ascii: "\"") else { throw flaw("no key") }
                try string()
                skipSpace()
                guard take(UInt8(ascii: ":")) else { throw flaw("no colon") }
                skipSpace()
                try value(depth: depth + 1)
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "}")) else { throw flaw("an object without its end") }
        }
        close(index)
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) {
        let index = open(.array)
        if !take(UInt8(ascii: "]")) {
            repeat {
                skipSpace()
                try value(depth: depth + 1)
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: "]")) else { throw flaw("an array without its end") }
        }
        close(index)
    }

    private mutating func open(_ kind: JSONText.Kind) -> Int {
        nodes.append(JSONText.Node(kind: kind, start: Int32(position), end: 0, next: 0))
        position += 1
        skipSpace()
        return nodes.count - 1
    }

    private mutating func close(_ index: Int) {
        nodes[index].end = Int32(position)
        nodes[index].next = Int32(nodes.count)
    }

    private mutating func string() throws(JSONSyntaxError) {
        let start = position + 1
        var end = start
        var kind = JSONText.Kind.string
        while true {
            guard end < bytes.count else { throw JSONSyntaxError(offset: end, reason: "no closing quote") }
            switch bytes[end] {
            case UInt8(ascii: "\""):
                position = end
                add(kind, from: start)
                position += 1
                return
            case UInt8(ascii: "\\"):
                kind = .escapedString
                guard let length = JSONEscapes.length(of: bytes[end...]) else {
                    throw JSONSyntaxError(offset: end, reason: "a wrong escape")
                }
                end += length
            case 0..<0x20: throw JSONSyntaxError(offset: end, reason: "a control character")
            default: end += 1
            }
        }
    }

    private mutating func number() throws(JSONSyntaxError) {
        let start = position
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if byte | 0x20 == UInt8(ascii: "e") {
            position += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        add(.number, from: start)
    }

    private mutating func digits() throws(JSONSyntaxError) {
        guard isDigit else { throw flaw("no digit") }
        while isDigit { position += 1 }
    }

    private mutating func word(_ word: StaticString, _ kind: JSONText.Kind) throws(JSONSyntaxError) {
        let start = position
        guard bytes[position...].starts(with: word.description.utf8) else { throw flaw("no value") }
        position += word.utf8CodeUnitCount
        add(kind, from: start)
    }

    private mutating func add(_ kind: JSONText.Kind, from start: Int) {
        nodes.append(
            JSONText.Node(kind: kind, start: Int32(start), end: Int32(position), next: Int32(nodes.count + 1)))
    }

    // MARK: - Bytes

    /// The byte that is next; 0, which no JSON text contains, at the end.
    private var byte: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private var isDigit: Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    private mutating func take(_ expected: UInt8) -> Bool {
        guard byte == expected else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func flaw(_ reason: String) -> JSONSyntaxError { JSONSyntaxError(offset: position, reason: reason) }
}
