/// A one-dimensional SQL array; its elements may be NULL if they are `Optional`.
///
/// Arrays of arrays are not sent: PostgreSQL knows only rectangular ones, and nobody here needs them.
extension Array: PostgresEncodable where Element: PostgresEncodable {
    package static var oid: UInt32 { Element.arrayOID }
    package static var arrayOID: UInt32 { 0 }

    package func encode(into bytes: inout [UInt8]) {
        precondition(Element.arrayOID != 0, "\(Element.self) has no array type in PostgreSQL")
        bytes.appendBigEndian(Int32(isEmpty ? 0 : 1))
        let nullFlag = bytes.count
        bytes.appendBigEndian(Int32(0))
        bytes.appendBigEndian(Element.oid)
        guard !isEmpty else { return }
        bytes.appendBigEndian(Int32(count))
        bytes.appendBigEndian(Int32(1))
        for element in self {
            if element.isNull {
                bytes.appendBigEndian(Int32(-1))
                bytes[nullFlag + 3] = 1
            } else {
                bytes.appendSized(element)
            }
        }
    }
}

extension Array: PostgresDecodable where Element: PostgresDecodable {
    package static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> [Element] {
        guard bytes.byteCount >= 12 else { throw .misfit(type, bytes.byteCount, as: Self.self) }
        let dimensions = bytes.bigEndian(Int32.self, at: 0)
        if dimensions == 0 { return [] }
        guard dimensions == 1, bytes.byteCount >= 20 else { throw .misfit("an array of \(dimensions) dimensions") }
        let elementType = bytes.bigEndian(UInt32.self, at: 8)
        let count = Int(bytes.bigEndian(Int32.self, at: 12))
        guard count >= 0, count <= (bytes.byteCount - 20) / 4 else { throw .misfit("an array that ends too early") }
        var elements: [Element] = []
        elements.reserveCapacity(count)
        var offset = 20
        for _ in 0..<count {
            elements.append(try element(of: bytes, at: &offset, type: elementType))
        }
        return elements
    }

    private static func element(
        of bytes: RawSpan, at offset: inout Int, type: UInt32
    ) throws(PostgresError) -> Element {
        guard bytes.byteCount - offset >= 4 else { throw .misfit("an array that ends too early") }
        let length = Int(bytes.bigEndian(Int32.self, at: offset))
        offset += 4
        if length < 0 { return try Element.decodeNull() }
        guard bytes.byteCount - offset >= length else { throw .misfit("an array that ends too early") }
        defer { offset += length }
        return try Element.decode(bytes.extracting(offset..<offset + length), type: type)
    }
}

extension [UInt8] {
    /// Appends a value after its length in bytes.
    mutating func appendSized(_ value: borrowing some PostgresEncodable) {
        let start = count
        appendBigEndian(Int32(0))
        value.encode(into: &self)
        let length = UInt32(count - start - 4)
        self[start] = UInt8(truncatingIfNeeded: length >> 24)
        self[start + 1] = UInt8(truncatingIfNeeded: length >> 16)
        self[start + 2] = UInt8(truncatingIfNeeded: length >> 8)
        self[start + 3] = UInt8(truncatingIfNeeded: length)
    }
}
