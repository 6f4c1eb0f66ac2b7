import FoundationEssentials

/// A JSON document for a `jsonb` column; the bytes are UTF-8 and are checked by the server, not here.
package struct JSONB: Sendable, Hashable {
    package let data: Data

    package init(_ data: Data) {
        self.data = data
    }
}

extension JSONB: PostgresEncodable {
    package static var oid: UInt32 { 3802 }
    package static var arrayOID: UInt32 { 3807 }

    package func encode(into bytes: inout [UInt8]) {
        bytes.append(Self.version)
        bytes.append(contentsOf: data)
    }

    private static let version: UInt8 = 1
}

/// Reads `jsonb` and `json`.
extension JSONB: PostgresDecodable {
    package static func decode(_ bytes: RawSpan, type: UInt32) throws(PostgresError) -> JSONB {
        switch type {
        case oid:
            try checkVersion(of: bytes)
            return JSONB(try Data.decode(bytes.extracting(droppingFirst: 1), type: Data.oid))
        case 114: return JSONB(try Data.decode(bytes, type: Data.oid))
        default: throw .misfit(type, bytes.byteCount, as: Self.self)
        }
    }

    /// Makes sure that a binary `jsonb` starts with the only version there is.
    static func checkVersion(of bytes: RawSpan) throws(PostgresError) {
        guard bytes.byteCount > 1, bytes.bigEndian(UInt8.self, at: 0) == version else {
            throw .misfit("a jsonb value of an unknown version")
        }
    }
}
