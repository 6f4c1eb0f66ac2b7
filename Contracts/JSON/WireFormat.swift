import FoundationEssentials

/// The one JSON dialect of the fleet: camelCase keys as written in Swift, RFC 3339 times with milliseconds, UTF-8.
package enum WireFormat {
    package static func encode(_ value: some Encodable) throws -> Data {
        Data(try bytes(of: value))
    }

    package static func text(_ value: some Encodable) throws -> String {
        String(decoding: try bytes(of: value), as: UTF8.self)
    }

    /// The same bytes for equal values, whatever the order of their fields in the code: what fingerprints are taken of.
    package static func canonical(_ value: some Encodable) throws -> Data {
        Data(try bytes(of: value, orderingKeys: true))
    }

    /// `canonical` as text.
    package static func canonicalText(_ value: some Encodable) throws -> String {
        String(decoding: try bytes(of: value, orderingKeys: true), as: UTF8.self)
    }

    /// - Throws: `DecodingError`, also for what is no JSON.
    package static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        try read(data).decode(type)
    }

    package static func decode<Value: Decodable>(_ type: Value.Type, fromText text: String) throws -> Value {
        try read(text.utf8).decode(type)
    }

    /// Writes a time as RFC 3339 in UTC with milliseconds, the nearest; what was read is written as it was.
    package static func text(of date: Date) -> String { Timestamp.text(of: date) }

    /// Reads an RFC 3339 time of the years 1970 to 9999, to the millisecond; nil for what the calendar does not have.
    package static func date(from text: String) -> Date? { Timestamp.date(from: text) }

    private static func read(_ bytes: some Sequence<UInt8>) throws(DecodingError) -> JSONText {
        do {
            return try JSONText(bytes)
        } catch {
            throw .dataCorrupted(
                .init(codingPath: [], debugDescription: "this is no JSON: \(error)", underlyingError: error))
        }
    }

    private static func bytes(of value: some Encodable, orderingKeys: Bool = false) throws -> [UInt8] {
        let output = JSONOutput(orderingKeys: orderingKeys)
        try output.write(value)
        return output.buffer.bytes
    }
}
