import FoundationEssentials

/// Turns a value into a parameter in PostgreSQL's binary format, without a detour over text.
package protocol PostgresEncodable: Sendable {
    /// The object id of the value's SQL type, from `pg_type`.
    static var oid: UInt32 { get }
    /// The object id of the array of that type; 0 if there is none.
    static var arrayOID: UInt32 { get }
    /// Whether the parameter is SQL's NULL; then `encode` is not called.
    var isNull: Bool { get }
    /// Appends the value in network byte order, without its length.
    func encode(into bytes: inout [UInt8])
}

extension PostgresEncodable {
    package var isNull: Bool { false }
}

extension PostgresEncodable where Self: RawRepresentable, RawValue: PostgresEncodable {
    package static var oid: UInt32 { RawValue.oid }
    package static var arrayOID: UInt32 { RawValue.arrayOID }
    package var isNull: Bool { rawValue.isNull }
    package func encode(into bytes: inout [UInt8]) { rawValue.encode(into: &bytes) }
}

extension Bool: PostgresEncodable {
    package static var oid: UInt32 { 16 }
    package static var arrayOID: UInt32 { 1000 }
    package func encode(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
}

extension Int16: PostgresEncodable {
    package static var oid: UInt32 { 21 }
    package static var arrayOID: UInt32 { 1005 }
    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }
}

extension Int32: PostgresEncodable {
    package static var oid: UInt32 { 23 }
    package static var arrayOID: UInt32 { 1007 }
    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }
}

extension Int64: PostgresEncodable {
    package static var oid: UInt32 { 20 }
    package static var arrayOID: UInt32 { 1016 }
    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(self) }
}

extension Int: PostgresEncodable {
    package static var oid: UInt32 { Int64.oid }
    package static var arrayOID: UInt32 { Int64.arrayOID }
    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(Int64(self)) }
}

extension Double: PostgresEncodable {
    package static var oid: UInt32 { 701 }
    package static var arrayOID: UInt32 { 1022 }
    package func encode(into bytes: inout [UInt8]) { bytes.appendBigEndian(bitPattern) }
}

/// Text; a NUL character is refused before anything is sent, for PostgreSQL cannot hold it.
extension String: PostgresEncodable {
    package static var oid: UInt32 { 25 }
    package static var arrayOID: UInt32 { 1009 }
    package func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
}

extension UUID: PostgresEncodable {
    package static var oid: UInt32 { 2950 }
    package static var arrayOID: UInt32 { 2951 }
    package func encode(into bytes: inout [UInt8]) {
        unsafe withUnsafeBytes(of: uuid) { unsafe bytes.append(contentsOf: $0) }
    }
}

extension Data: PostgresEncodable {
    package static var oid: UInt32 { 17 }
    package static var arrayOID: UInt32 { 1001 }
    package func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: self) }
}

extension Optional: PostgresEncodable where Wrapped: PostgresEncodable {
    package static var oid: UInt32 { Wrapped.oid }
    package static var arrayOID: UInt32 { Wrapped.arrayOID }
    package var isNull: Bool { self?.isNull ?? true }
    package func encode(into bytes: inout [UInt8]) { self?.encode(into: &bytes) }
}

extension [UInt8] {
    /// Appends an integer in network byte order.
    mutating func appendBigEndian<Value: FixedWidthInteger>(_ value: Value) {
        unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
    }
}
