/// Writes `Encodable` values as JSON without a tree between.
///
/// A container is complete once its parent is written to again; coding paths are not kept, for what cannot be written
/// is a mistake of ours.
struct JSONWriter: Encoder {
    let output: JSONOutput

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(JSONObjectWriter(output))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer { JSONArrayWriter(output) }

    func singleValueContainer() -> any SingleValueEncodingContainer { JSONValueWriter(output: output) }
}

private struct JSONObjectWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    private let output: JSONOutput
    private let opening: Int

    init(_ output: JSONOutput) {
        self.output = output
        opening = output.buffer.open(.object)
    }

    var codingPath: [any CodingKey] { [] }

    private func add(_ key: Key, _ write: (inout JSONBuffer) throws -> Void) rethrows {
        try output.change { buffer in
            buffer.begin(key.stringValue, in: opening)
            try write(&buffer)
        }
    }

    func encodeNil(forKey key: Key) { add(key) { $0.writeNull() } }
    func encode(_ value: Bool, forKey key: Key) { add(key) { $0.write(value) } }
    func encode(_ value: String, forKey key: Key) { add(key) { $0.write(value) } }
    func encode(_ value: some FixedWidthInteger & Encodable, forKey key: Key) { add(key) { $0.write(integer: value) } }
    func encode(_ value: some BinaryFloatingPoint & LosslessStringConvertible & Encodable, forKey key: Key) throws {
        try add(key) { try $0.write(fraction: value) }
    }
    func encode(_ value: some Encodable, forKey key: Key) throws {
        output.buffer.begin(key.stringValue, in: opening)
        try output.write(value)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        output.buffer.begin(key.stringValue, in: opening)
        return KeyedEncodingContainer(JSONObjectWriter<Nested>(output))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        output.buffer.begin(key.stringValue, in: opening)
        return JSONArrayWriter(output)
    }

    func superEncoder() -> any Encoder { superEncoder(named: "super") }
    func superEncoder(forKey key: Key) -> any Encoder { superEncoder(named: key.stringValue) }

    private func superEncoder(named name: String) -> any Encoder {
        output.buffer.begin(name, in: opening)
        return JSONWriter(output: output)
    }
}

private struct JSONArrayWriter: UnkeyedEncodingContainer {
    private let output: JSONOutput
    private let opening: Int
    private(set) var count = 0

    init(_ output: JSONOutput) {
        self.output = output
        opening = output.buffer.open(.array)
    }

    var codingPath: [any CodingKey] { [] }

    private mutating func add(_ write: (inout JSONBuffer) throws -> Void) rethrows {
        count += 1
        try output.change { [opening] buffer in
            buffer.begin(in: opening)
            try write(&buffer)
        }
    }

    mutating func encodeNil() { add { $0.writeNull() } }
    mutating func encode(_ value: Bool) { add { $0.write(value) } }
    mutating func encode(_ value: String) { add { $0.write(value) } }
    mutating func encode(_ value: some FixedWidthInteger & Encodable) { add { $0.write(integer: value) } }
    mutating func encode(_ value: some BinaryFloatingPoint & LosslessStringConvertible & Encodable) throws {
        try add { try $0.write(fraction: value) }
    }
    mutating func encode(_ value: some Encodable) throws {
        add { _ in }
        try output.write(value)
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        add { _ in }
        return KeyedEncodingContainer(JSONObjectWriter<Nested>(output))
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        add { _ in }
        return JSONArrayWriter(output)
    }

    mutating func superEncoder() -> any Encoder {
        add { _ in }
        return JSONWriter(output: output)
    }
}

private struct JSONValueWriter: SingleValueEncodingContainer {
    let output: JSONOutput

    var codingPath: [any CodingKey] { [] }

    func encodeNil() { output.change { $0.writeNull() } }
    func encode(_ value: Bool) { output.change { $0.write(value) } }
    func encode(_ value: String) { output.change { $0.write(value) } }
    func encode(_ value: some FixedWidthInteger & Encodable) { output.change { $0.write(integer: value) } }
    func encode(_ value: some BinaryFloatingPoint & LosslessStringConvertible & Encodable) throws {
        try output.change { try $0.write(fraction: value) }
    }
    func encode(_ value: some Encodable) throws { try output.write(value) }
}
