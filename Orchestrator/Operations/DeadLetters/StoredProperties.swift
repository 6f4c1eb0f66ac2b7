import Contracts
import FleetRuntime
import FoundationEssentials
import RabbitMQ

/// A message's properties as JSON, so that it can be sent again as it was.
///
/// PostgreSQL's `jsonb` cannot hold a NUL, so where a stranger's text has one all texts are escaped.
struct StoredProperties: Codable, Sendable {
    /// Whether `\0` stands for NUL and `\\` for a backslash; nil in what was stored without need for it.
    let isEscaped: Bool?
    let messageID: String?
    let correlationID: String?
    let type: String?
    let replyTo: String?
    let applicationID: String?
    let contentType: String?
    let timestamp: UInt64?
    let userID: String?
    let contentEncoding: String?
    let expiration: String?
    let priority: UInt8?
    let headers: [String: StoredHeader]

    init(_ properties: Properties) {
        let isEscaped = properties.texts.contains { $0.utf8.contains(0) }
        let stored = { (text: String) in isEscaped ? text.escapingNUL : text }
        self.isEscaped = isEscaped ? true : nil
        messageID = properties.messageID.map(stored)
        correlationID = properties.correlationID.map(stored)
        type = properties.type.map(stored)
        replyTo = properties.replyTo.map(stored)
        applicationID = properties.applicationID.map(stored)
        contentType = properties.contentType.map(stored)
        timestamp = properties.timestamp
        userID = properties.userID.map(stored)
        contentEncoding = properties.contentEncoding.map(stored)
        expiration = properties.expiration.map(stored)
        priority = properties.priority
        headers = properties.headers.reduce(into: [:]) { headers, header in
            headers[stored(header.name)] = StoredHeader(header.value)?.mapText(stored)
        }
    }

    var properties: Properties {
        let original = { (text: String) in isEscaped == true ? text.resolvingNUL : text }
        var properties = Properties(
            messageID: messageID.map(original), correlationID: correlationID.map(original), type: type.map(original),
            replyTo: replyTo.map(original), applicationID: applicationID.map(original),
            contentType: contentType.map(original), timestamp: timestamp,
            headers: FieldTable(headers.map { (original($0.key), $0.value.mapText(original).value) }))
        properties.userID = userID.map(original)
        properties.contentEncoding = contentEncoding.map(original)
        properties.expiration = expiration.map(original)
        properties.priority = priority
        return properties
    }

    /// What the message had, by the names that AMQP gives its properties.
    var shown: [String: String] {
        let all = properties
        let headers = Self.texts(of: all.headers)
        let texts: [(String, String?)] = [
            ("message_id", all.messageID), ("correlation_id", all.correlationID), ("type", all.type),
            ("reply_to", all.replyTo), ("app_id", all.applicationID),
            ("user_id", all.userID ?? headers[Header.userID.rawValue]), ("content_type", all.contentType),
            ("content_encoding", all.contentEncoding),
            ("timestamp", all.timestamp.map { "\($0)" }),
            ("expiration", all.expiration ?? headers[Header.expiration.rawValue]),
            ("priority", all.priority.map { "\($0)" }),
        ]
        return Dictionary(uniqueKeysWithValues: texts.compactMap { name, value in value.map { (name, $0) } })
    }
}

extension StoredProperties {
    /// Headers as people read them.
    static func texts(of headers: FieldTable) -> [String: String] {
        headers.reduce(into: [:]) { $0[$1.name] = StoredHeader($1.value)?.text }
    }
}

extension Properties {
    fileprivate var texts: [String] {
        let own = [
            messageID, correlationID, type, replyTo, applicationID, contentType, userID, contentEncoding, expiration,
        ].compactMap { $0 }
        return headers.reduce(into: own) { texts, header in
            texts.append(header.name)
            if case .string(let text) = header.value { texts.append(text) }
        }
    }
}

extension String {
    fileprivate var escapingNUL: String { replacing("\\", with: "\\\\").replacing("\0", with: "\\0") }

    fileprivate var resolvingNUL: String {
        var text = String.UnicodeScalarView()
        var rest = unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "\\", let letter = rest.popFirst() else {
                text.append(scalar)
                continue
            }
            text.append(letter == "0" ? "\0" : letter)
        }
        return String(text)
    }
}

/// A header of a kind that can be written again.
enum StoredHeader: Codable, Sendable {
    case string(String)
    case integer(Int64)
    case boolean(Bool)
    case timestamp(UInt64)
    case double(Double)

    init?(_ value: HeaderValue) {
        switch value {
        case .string(let value): self = .string(value)
        case .integer(let value): self = .integer(value)
        case .boolean(let value): self = .boolean(value)
        case .timestamp(let value): self = .timestamp(value)
        // JSON has no form for infinity and for what is no number.
        case .double(let value): self = value.isFinite ? .double(value) : .string("\(value)")
        case .other: return nil
        }
    }

    func mapText(_ change: (String) -> String) -> StoredHeader {
        if case .string(let text) = self { .string(change(text)) } else { self }
    }

    var value: HeaderValue {
        switch self {
        case .string(let value): .string(value)
        case .integer(let value): .integer(value)
        case .boolean(let value): .boolean(value)
        case .timestamp(let value): .timestamp(value)
        case .double(let value): .double(value)
        }
    }

    /// As people read it.
    var text: String {
        switch self {
        case .string(let value): value
        case .integer(let value): "\(value)"
        case .boolean(let value): "\(value)"
        case .timestamp(let value): "\(value)"
        case .double(let value): "\(value)"
        }
    }
}
