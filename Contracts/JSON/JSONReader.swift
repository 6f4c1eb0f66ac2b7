/// Reads `Decodable` values from one value of a JSON text.
struct JSONReader: Decoder {
    let text: JSONText
    let index: Int

    var codingPath: [any CodingKey] { text.path(to: index) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard text.nodes[index].kind == .object else { throw text.misfit([String: Any].self, at: index) }
        return KeyedDecodingContainer(JSONObjectReader(text: text, index: index))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard text.nodes[index].kind == .array else { throw text.misfit([Any].self, at: index) }
        return JSONArrayReader(text, index)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { JSONValueReader(text: text, index: index) }
}

private struct JSONObjectReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let text: JSONText
    let index: Int

    var codingPath: [any CodingKey] { text.path(to: index) }
    var allKeys: [Key] { text.members(of: index).compactMap { Key(stringValue: $0.key) } }

    func contains(_ key: Key) -> Bool { text.member(key.stringValue, of: index) != nil }

    private func member(_ key: Key) throws -> Int {
        guard let member = text.member(key.stringValue, of: index) else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: codingPath, debugDescription: "there is no \"\(key.stringValue)\""))
        }
        return member
    }

    /// Nil for what is missing or null.
    private func present(_ key: Key) -> Int? {
        text.member(key.stringValue, of: index).flatMap { text.isNull(at: $0) ? nil : $0 }
    }

    func decodeNil(forKey key: Key) throws -> Bool { text.isNull(at: try member(key)) }
    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try text.bool(at: member(key)) }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try text.string(at: member(key)) }
    func decode<Value: FixedWidthInteger & Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try text.integer(type, at: member(key))
    }
    func decode<Value: BinaryFloatingPoint & LosslessStringConvertible & Decodable>(
        _ type: Value.Type, forKey key: Key
    ) throws -> Value {
        try text.float(type, at: member(key))
    }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try text.value(type, at: member(key))
    }

    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try present(key).map(text.bool) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try present(key).map(text.string) }
    func decodeIfPresent<Value: FixedWidthInteger & Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        try present(key).map { try text.integer(type, at: $0) }
    }
    func decodeIfPresent<Value: BinaryFloatingPoint & LosslessStringConvertible & Decodable>(
        _ type: Value.Type, forKey key: Key
    ) throws -> Value? {
        try present(key).map { try text.float(type, at: $0) }
    }
    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        try present(key).map { try text.value(type, at: $0) }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try JSONReader(text: text, index: member(key)).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try JSONReader(text: text, index: member(key)).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        guard let member = text.member("super", of: index) else {
            throw DecodingError.valueNotFound(
                (any Decoder).self, .init(codingPath: codingPath, debugDescription: "there is no \"super\""))
        }
        return JSONReader(text: text, index: member)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder { JSONReader(text: text, index: try member(key)) }
}

private struct JSONArrayReader: UnkeyedDecodingContainer {
    private let text: JSONText
    private let array: Int
    private var element: Int
    private(set) var currentIndex = 0

    init(_ text: JSONText, _ array: Int) {
        self.text = text
        self.array = array
        element = array + 1
    }

    var codingPath: [any CodingKey] { text.path(to: array) }
    var count: Int? { text.elements(of: array).count }
    var isAtEnd: Bool { element >= Int(text.nodes[array].next) }

    /// The element to read, and the next one's turn once it was read.
    private mutating func take<Value>(_ type: Value.Type, _ read: (Int) throws -> Value) throws -> Value {
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                type, .init(codingPath: codingPath, debugDescription: "the array has no more values"))
        }
        let value = try read(element)
        element = Int(text.nodes[element].next)
        currentIndex += 1
        return value
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, text.isNull(at: element) else { return false }
        return try take(Bool.self) { _ in true }
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try take(type) { [text] in try text.bool(at: $0) } }
    mutating func decode(_ type: String.Type) throws -> String {
        try take(type) { [text] in try text.string(at: $0) }
    }
    mutating func decode<Value: FixedWidthInteger & Decodable>(_ type: Value.Type) throws -> Value {
        try take(type) { [text] in try text.integer(type, at: $0) }
    }
    mutating func decode<Value: BinaryFloatingPoint & LosslessStringConvertible & Decodable>(
        _ type: Value.Type
    ) throws -> Value {
        try take(type) { [text] in try text.float(type, at: $0) }
    }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try take(type) { [text] in try text.value(type, at: $0) }
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        try take(KeyedDecodingContainer<Nested>.self) { [text] in
            try JSONReader(text: text, index: $0).container(keyedBy: type)
        }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try take((any UnkeyedDecodingContainer).self) { [text] in
            try JSONReader(text: text, index: $0).unkeyedContainer()
        }
    }

    mutating func superDecoder() throws -> any Decoder {
        try take((any Decoder).self) { [text] in JSONReader(text: text, index: $0) }
    }
}

private struct JSONValueReader: SingleValueDecodingContainer {
    let text: JSONText
    let index: Int

    var codingPath: [any CodingKey] { text.path(to: index) }

    func decodeNil() -> Bool { text.isNull(at: index) }
    func decode(_ type: Bool.Type) throws -> Bool { try text.bool(at: index) }
    func decode(_ type: String.Type) throws -> String { try text.string(at: index) }
    func decode<Value: FixedWidthInteger & Decodable>(_ type: Value.Type) throws -> Value {
        try text.integer(type, at: index)
    }
    func decode<Value: BinaryFloatingPoint & LosslessStringConvertible & Decodable>(
        _ type: Value.Type
    ) throws -> Value {
        try text.float(type, at: index)
    }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try text.value(type, at: index) }
}
