/// A JSON text (RFC 8259) that was read once: its values in the order of the text, each with its place.
///
/// An object's members are pairs of a key and a value; where several have one key, the first counts.
package final class JSONText: Sendable {
    enum Kind: UInt8 {
        case object, array, string, escapedString, number, yes, no, null
    }

    /// A value or a key.
    struct Node: Sendable {
        let kind: Kind
        /// Where its text begins, within the quotes of a string.
        let start: Int32
        var end: Int32
        /// The node after it and all that it contains.
        var next: Int32
    }

    let bytes: [UInt8]
    let nodes: [Node]

    /// - Throws: `JSONSyntaxError` for what is not well-formed.
    package init(_ bytes: some Sequence<UInt8>) throws(JSONSyntaxError) {
        self.bytes = Array(bytes)
        var parser = JSONParser(self.bytes)
        nodes = try parser.parse()
    }

    // MARK: - Structure

    // A value is named by its position among the nodes; the whole text is 0.

    package var isObject: Bool { isObject(at: 0) }

    package func isObject(at index: Int) -> Bool { nodes[index].kind == .object }

    package func isArray(at index: Int) -> Bool { nodes[index].kind == .array }

    /// The value of an object's member.
    func member(_ name: String, of object: Int) -> Int? {
        let end = Int(nodes[object].next)
        var key = object + 1
        while key < end {
            if isKey(key, name) { return key + 1 }
            key = Int(nodes[key + 1].next)
        }
        return nil
    }

    private func isKey(_ index: Int, _ name: String) -> Bool {
        let node = nodes[index]
        guard node.kind == .string else { return text(of: index) == name }
        var position = Int(node.start)
        guard name.utf8.count == Int(node.end) - position else { return false }
        for byte in name.utf8 {
            guard bytes[position] == byte else { return false }
            position += 1
        }
        return true
    }

    /// The keys and values of an object; of what is none, nothing.
    package func members(of object: Int) -> [(key: String, value: Int)] {
        guard nodes[object].kind == .object else { return [] }
        var members: [(key: String, value: Int)] = []
        var key = object + 1
        while key < Int(nodes[object].next) {
            members.append((text(of: key), key + 1))
            key = Int(nodes[key + 1].next)
        }
        return members
    }

    /// Calls `body` with each key and value of an object, in order, until it wants no more; of what is none, never.
    package func forEachMember(of object: Int, while body: (_ name: String, _ value: Int) -> Bool) {
        guard nodes[object].kind == .object else { return }
        var key = object + 1
        while key < Int(nodes[object].next), body(text(of: key), key + 1) {
            key = Int(nodes[key + 1].next)
        }
    }

    /// Calls `body` with each place and value of an array, in order, until it wants no more; of what is none, never.
    package func forEachElement(of array: Int, while body: (_ place: Int, _ value: Int) -> Bool) {
        guard nodes[array].kind == .array else { return }
        var element = array + 1
        var place = 0
        while element < Int(nodes[array].next), body(place, element) {
            element = Int(nodes[element].next)
            place += 1
        }
    }

    /// The values of an array; of what is none, nothing.
    package func elements(of array: Int) -> [Int] {
        guard nodes[array].kind == .array else { return [] }
        var elements: [Int] = []
        var element = array + 1
        while element < Int(nodes[array].next) {
            elements.append(element)
            element = Int(nodes[element].next)
        }
        return elements
    }

    /// The keys and positions that lead to a value.
    func path(to target: Int) -> [any CodingKey] {
        var path: [any CodingKey] = []
        var index = 0
        while index != target {
            let steps: [(key: any CodingKey, value: Int)] =
                nodes[index].kind == .object
                ? members(of: index).map { (JSONPlace($0.key), $0.value) }
                : elements(of: index).enumerated().map { (JSONPlace($0.offset), $0.element) }
            guard let step = steps.first(where: { Int(nodes[$0.value].next) > target }) else { break }
            path.append(step.key)
            index = step.value
        }
        return path
    }

    // MARK: - Scalars

    /// What a string or a key says.
    func text(of index: Int) -> String {
        let node = nodes[index]
        let raw = bytes[Int(node.start)..<Int(node.end)]
        return String(decoding: node.kind == .escapedString ? JSONEscapes.resolved(raw) : raw, as: UTF8.self)
    }

    /// A number as it is written.
    func literal(of index: Int) -> String {
        String(decoding: bytes[Int(nodes[index].start)..<Int(nodes[index].end)], as: UTF8.self)
    }
}

/// Why a text is not JSON, and where.
package struct JSONSyntaxError: Error, CustomStringConvertible {
    /// In bytes from the beginning.
    package let offset: Int
    package let reason: String

    package var description: String { "\(reason) at byte \(offset)" }
}

/// A step on the way to a value.
private struct JSONPlace: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ name: String) {
        stringValue = name
        intValue = nil
    }

    init(_ position: Int) {
        stringValue = String(position)
        intValue = position
    }

    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { self.init(intValue) }
}
