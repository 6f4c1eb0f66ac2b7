/// JSON on its way out: the bytes so far, and the objects and arrays that are still open.
///
/// What a value writes goes straight into one buffer. Keys stand in the order of the code, or in their own when asked.
struct JSONBuffer {
    enum Kind { case object, array }

    private struct Opening {
        let kind: Kind
        /// Where the contents begin.
        let start: Int
        let firstMember: Int
        var isEmpty = true
    }

    private struct Member {
        let start: Int
        let keyEnd: Int
    }

    private(set) var bytes: [UInt8] = []
    private let ordersKeys: Bool
    private var openings: [Opening] = []
    private var members: [Member] = []

    init(orderingKeys ordersKeys: Bool) {
        self.ordersKeys = ordersKeys
        bytes.reserveCapacity(512)
        openings.reserveCapacity(8)
    }

    // MARK: - Structure

    /// How many objects and arrays are open.
    var depth: Int { openings.count }

    /// Opens an object or an array; the answer names it to `begin`.
    mutating func open(_ kind: Kind) -> Int {
        bytes.append(kind == .object ? UInt8(ascii: "{") : UInt8(ascii: "["))
        openings.append(Opening(kind: kind, start: bytes.count, firstMember: members.count))
        return openings.count - 1
    }

    /// Begins the next element of an array; whatever was opened inside the one before is complete.
    mutating func begin(in opening: Int) {
        close(to: opening + 1)
        if !openings[opening].isEmpty { bytes.append(UInt8(ascii: ",")) }
        openings[opening].isEmpty = false
    }

    /// Begins the next member of an object; whatever was opened inside the one before is complete.
    mutating func begin(_ key: String, in opening: Int) {
        begin(in: opening)
        let start = bytes.count
        write(key)
        if ordersKeys { members.append(Member(start: start, keyEnd: bytes.count)) }
        bytes.append(UInt8(ascii: ":"))
    }

    /// Closes what is open until only `depth` are.
    mutating func close(to depth: Int) {
        while openings.count > depth {
            let opening = openings.removeLast()
            if ordersKeys, opening.kind == .object {
                putInOrder(opening)
                members.removeSubrange(opening.firstMember...)
            }
            bytes.append(opening.kind == .object ? UInt8(ascii: "}") : UInt8(ascii: "]"))
        }
    }

    private mutating func putInOrder(_ object: Opening) {
        let indices = object.firstMember..<members.count
        guard !indices.dropFirst().allSatisfy({ isOrdered($0 - 1, $0) }) else { return }
        var ordered: [UInt8] = []
        ordered.reserveCapacity(bytes.count - object.start)
        for index in indices.sorted(by: isOrdered) {
            let end = index + 1 < members.count ? members[index + 1].start - 1 : bytes.count
            if !ordered.isEmpty { ordered.append(UInt8(ascii: ",")) }
            ordered.append(contentsOf: bytes[members[index].start..<end])
        }
        bytes.replaceSubrange(object.start..., with: ordered)
    }

    private func isOrdered(_ first: Int, _ second: Int) -> Bool {
        let (first, second) = (members[first], members[second])
        return bytes[first.start..<first.keyEnd].lexicographicallyPrecedes(bytes[second.start..<second.keyEnd])
    }

    // MARK: - Values

    mutating func writeNull() { bytes.append(contentsOf: "null".utf8) }

    mutating func write(_ value: Bool) { bytes.append(contentsOf: (value ? "true" : "false").utf8) }

    mutating func write(integer value: some FixedWidthInteger) { bytes.append(contentsOf: String(value).utf8) }

    /// - Throws: `EncodingError` for what JSON has no number for.
    mutating func write(fraction value: some BinaryFloatingPoint & LosslessStringConvertible) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(value, .init(codingPath: [], debugDescription: "JSON has no \(value)"))
        }
        let text = value.description
        bytes.append(contentsOf: text.hasSuffix(".0") ? text.utf8.dropLast(2) : text.utf8[...])
    }

    mutating func write(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        if bytes[start...].contains(where: JSONEscapes.mustEscape) {
            let escaped = bytes[start...].flatMap(JSONEscapes.escaped)
            bytes.replaceSubrange(start..., with: escaped)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
