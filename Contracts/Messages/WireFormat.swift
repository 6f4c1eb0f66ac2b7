import FoundationEssentials

/// The one JSON dialect of the fleet: camelCase keys as written in Swift, RFC 3339 times with milliseconds, UTF-8.
package enum WireFormat {
    package static func encode(_ value: some Encodable) throws -> Data {
        try encoder.encode(value)
    }

    /// The same bytes for equal values, in every process: what fingerprints are taken of.
    package static func canonical(_ value: some Encodable) throws -> Data {
        try canonicalEncoder.encode(value)
    }

    package static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws -> Value {
        try decoder.decode(type, from: data)
    }

    /// `canonical` as text.
    package static func canonicalText(_ value: some Encodable) throws -> String {
        String(decoding: try canonical(value), as: UTF8.self)
    }

    package static func text(_ value: some Encodable) throws -> String {
        String(decoding: try encode(value), as: UTF8.self)
    }

    package static func decode<Value: Decodable>(_ type: Value.Type, fromText text: String) throws -> Value {
        try decode(type, from: Data(text.utf8))
    }

    /// Writes a time as RFC 3339 in UTC with milliseconds, the nearest; what was read is written as it was.
    ///
    /// The format cuts digits off, and few decimal fractions are exact in binary: without the nudge into the middle of
    /// the millisecond a time that is read and written again and again would creep backwards.
    package static func text(of date: Date) -> String {
        let milliseconds = (date.timeIntervalSince1970 * 1_000).rounded()
        return Date(timeIntervalSince1970: (milliseconds + 0.3) / 1_000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// Reads an RFC 3339 time, with or without fractions of a second.
    package static func date(from text: String) -> Date? {
        for style in [Date.ISO8601FormatStyle(includingFractionalSeconds: true), Date.ISO8601FormatStyle()] {
            do { return try style.parse(text) } catch { continue }
        }
        return nil
    }

    private static let encoder = makeEncoder([.withoutEscapingSlashes])
    private static let canonicalEncoder = makeEncoder([.withoutEscapingSlashes, .sortedKeys])

    private static func makeEncoder(_ formatting: JSONEncoder.OutputFormatting) -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(text(of: date))
        }
        return encoder
    }

    private static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            guard let date = date(from: text) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is not RFC 3339")
            }
            return date
        }
        return decoder
    }()
}
