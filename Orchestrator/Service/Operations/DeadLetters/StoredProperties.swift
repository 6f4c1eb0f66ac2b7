import RabbitMQ

/// A message's properties as JSON, so that it can be sent again as it was.
struct StoredProperties: Codable, Sendable {
    let messageID: String?
    let correlationID: String?
    let type: String?
    let replyTo: String?
    let applicationID: String?
    let contentType: String?
    let timestamp: UInt64?
    let headers: [String: StoredHeader]

    init(_ properties: Properties) {
        messageID = properties.messageID
        correlationID = properties.correlationID
        type = properties.type
        replyTo = properties.replyTo
        applicationID = properties.applicationID
        contentType = properties.contentType
        timestamp = properties.timestamp
        headers = properties.headers.reduce(into: [:]) { $0[$1.name] = StoredHeader($1.value) }
    }

    var properties: Properties {
        Properties(
            messageID: messageID, correlationID: correlationID, type: type, replyTo: replyTo,
            applicationID: applicationID, contentType: contentType, timestamp: timestamp,
            headers: FieldTable(headers.map { ($0.key, $0.value.value) }))
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
