import FoundationEssentials

/// Reads a value from PostgreSQL's binary format, or says why it does not fit.
package protocol PostgresDecodable: Sendable {
    /// Reads a value that is not NULL; `type` is the object id of the SQL type that the server declared.
    static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> Self
    /// Answers for NULL; only an `Optional` has an answer.
    static func decodeNull() throws(PostgresError) -> Self
}

extension PostgresDecodable {
    package static func decodeNull() throws(PostgresError) -> Self {
        throw .misfit("NULL does not fit \(Self.self)")
    }

    /// Reads a value from bytes that do not come from a server.
    package static func decode(_ bytes: [UInt8], type: UInt32) throws(PostgresError) -> Self {
        try decode(unsafe bytes.span.bytes, type: type)
    }
}

extension PostgresDecodable where Self: RawRepresentable, RawValue: PostgresDecodable {
    package static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> Self {
        guard let value = Self(rawValue: try RawValue.decode(bytes, type: type)) else {
            throw .misfit("the value is not one of \(Self.self)")
        }
        return value
    }
}

extension Bool: PostgresDecodable {
    package static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> Bool {
        guard type == oid, bytes.byteCount == 1 else { throw .misfit(type, bytes.byteCount, as: Self.self) }
        return bytes.bigEndian(UInt8.self, at: 0) != 0
    }
}

extension Int16: PostgresDecodable {
    package static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> Int16 {
        guard type == oid, bytes.byteCount == 2 else { throw .misfit(type, bytes.byteCount, as: Self.self) }
        return bytes.bigEndian(Int16.self, at: 0)
    }
}

/// Reads `integer` and `smallint`.
extension Int32: PostgresDecodable {
    package static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> Int32 {
        guard type == oid, bytes.byteCount == 4 else { return Int32(try Int16.decode(bytes, type: type)) }
        return bytes.bigEndian(Int32.self, at: 0)
    }
}

/// Reads `bigint`, `integer` and `smallint`.
extension Int64: PostgresDecodable {
    package static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> Int64 {
        guard type == oid, bytes.byteCount == 8 else { return Int64(try Int32.decode(bytes, type: type)) }
        return bytes.bigEndian(Int64.self, at: 0)
    }
}

/// Reads `bigint`, `integer` and `smallint`.
extension Int: PostgresDecodable {
    package static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> Int {
        Int(try Int64.decode(bytes, type: type))
    }
}

/// Reads `double precision` and `real`.
extension Double: PostgresDecodable {
    package static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> Double {
        switch (type, bytes.byteCount) {
        case (oid, 8): return Double(bitPattern: bytes.bigEndian(UInt64.self, at: 0))
        case (700, 4): return Double(Float(bitPattern: bytes.bigEndian(UInt32.self, at: 0)))
        default: throw .misfit(type, bytes.byteCount, as: Self.self)
        }
    }
}

/// Reads `text` and what travels as text: `varchar`, `char(n)`, `name`, `json`, `jsonb`, `void`, enums and other
/// types of the database's own.
extension String: PostgresDecodable {
    package static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> String {
        if type == JSONB.oid {
            try JSONB.checkVersion(of: bytes)
            return try decode(bytes.extracting(droppingFirst: 1), type: oid)
        }
        let firstUserType: UInt32 = 16_384
        guard [oid, 1043, 1042, 18, 19, 114, 705, 2278].contains(type) || type >= firstUserType else {
            throw .misfit(type, bytes.byteCount, as: Self.self)
        }
        let text = unsafe bytes.withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) }
        guard let text else { throw .misfit("the bytes are not UTF-8") }
        return text
    }
}

extension UUID: PostgresDecodable {
    package static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> UUID {
        guard type == oid, bytes.byteCount == 16 else { throw .misfit(type, bytes.byteCount, as: Self.self) }
        return unsafe UUID(uuid: bytes.unsafeLoadUnaligned(as: uuid_t.self))
    }
}

extension Data: PostgresDecodable {
    package static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> Data {
        guard type == oid else { throw .misfit(type, bytes.byteCount, as: Self.self) }
        return unsafe bytes.withUnsafeBytes { unsafe Data($0) }
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> Wrapped? {
        try Wrapped.decode(bytes, type: type)
    }

    package static func decodeNull() throws(PostgresError) -> Wrapped? { nil }
}

extension RawSpan {
    /// The integer in network byte order at `offset`; the caller has checked that it lies within.
    func bigEndian<Value: FixedWidthInteger & BitwiseCopyable>(_ type: Value.Type, at offset: Int) -> Value {
        Value(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }
}

extension PostgresError {
    static func misfit(_ detail: String) -> PostgresError {
        PostgresError(.decoding, operation: "decode", detail: detail)
    }

    static func misfit(_ type: UInt32, _ count: Int, as target: any Any.Type) -> PostgresError {
        misfit("\(count) bytes of the type with oid \(type) do not fit \(target)")
    }
}
