import CHiredis
import FoundationEssentials

/// One command's answer; an error that the server reports is an answer too.
package enum RedisReply: Sendable, Equatable {
    case null
    case integer(Int64)
    case status(String)
    case bytes(Data)
    case error(String)
    case array([RedisReply])

    /// The bytes as UTF-8 text, broken sequences repaired; nil for what is not a string.
    package var text: String? {
        switch self {
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .status(let word): word
        case .null, .integer, .error, .array: nil
        }
    }

    package var integer: Int64? {
        if case .integer(let value) = self { value } else { nil }
    }

    package var elements: [RedisReply]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// Whether the server refused the command, as when it is loading, read-only, out of memory or given a wrong type.
    package var isError: Bool {
        if case .error = self { true } else { false }
    }

    /// Whether the server does not know a script by its digest.
    var isUnknownScript: Bool {
        if case .error(let message) = self { message.hasPrefix("NOSCRIPT") } else { false }
    }
}

/// The only owner of a reply that hiredis built; it is copied out before it is freed.
@safe struct ReplyHandle: ~Copyable {
    private let pointer: UnsafeMutableRawPointer

    init(_ pointer: UnsafeMutableRawPointer) {
        unsafe self.pointer = unsafe pointer
    }

    deinit {
        unsafe freeReplyObject(pointer)
    }

    var value: RedisReply {
        unsafe ReplyHandle.copy(pointer.assumingMemoryBound(to: redisReply.self).pointee)
    }

    /// Copies a reply with everything in it, which is nested seven times at most (`NESTED_ARRAYS`).
    private static func copy(_ reply: redisReply) -> RedisReply {
        switch unsafe reply.type {
        case REDIS_REPLY_INTEGER: return .integer(unsafe reply.integer)
        case REDIS_REPLY_STRING: return .bytes(unsafe Data(bytes(of: reply)))
        case REDIS_REPLY_STATUS: return .status(unsafe String(decoding: bytes(of: reply), as: UTF8.self))
        case REDIS_REPLY_ERROR: return .error(unsafe String(decoding: bytes(of: reply), as: UTF8.self))
        case REDIS_REPLY_ARRAY:
            let elements = unsafe UnsafeBufferPointer(start: reply.element, count: reply.elements)
            return unsafe .array(elements.map { unsafe $0.map { unsafe copy($0.pointee) } ?? .null })
        default: return .null
        }
    }

    private static func bytes(of reply: redisReply) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: reply.str, count: reply.len)
    }
}
