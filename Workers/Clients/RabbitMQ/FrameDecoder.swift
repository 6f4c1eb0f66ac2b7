import CRabbitMQ

import struct FoundationEssentials.Data

extension Frame {
    /// Copies a frame out of the library's memory, which is reused after the next read.
    init(copying frame: amqp_frame_t) throws(BrokerError) {
        switch unsafe Int32(frame.frame_type) {
        case AMQP_FRAME_METHOD:
            self = unsafe Frame(copyingMethod: frame.payload.method)
        case AMQP_FRAME_HEADER:
            guard unsafe frame.payload.properties.class_id == AMQP_BASIC_CLASS,
                let decoded = unsafe frame.payload.properties.decoded
            else { throw BrokerError(.protocolViolation, during: "reading frames", "a header of unknown class") }
            let properties = unsafe decoded.assumingMemoryBound(to: amqp_basic_properties_t.self)
            self = unsafe .header(
                bodySize: frame.payload.properties.body_size, Properties(copying: properties))
        case AMQP_FRAME_BODY:
            self = unsafe .body(Data(copying: frame.payload.body_fragment))
        default:
            throw unsafe BrokerError(
                .protocolViolation, during: "reading frames", "a frame of type \(frame.frame_type)")
        }
    }

    /// Copies a method's arguments.
    init(copyingMethod method: amqp_method_t) {
        let decoded = unsafe method.decoded
        switch unsafe (method.id, decoded) {
        case (AMQP_BASIC_DELIVER_METHOD, let decoded?):
            let deliver = unsafe decoded.assumingMemoryBound(to: amqp_basic_deliver_t.self)
            self = unsafe .deliver(
                tag: deliver.pointee.delivery_tag, isRedelivered: deliver.pointee.redelivered != 0,
                Route(copying: deliver.pointee.exchange, deliver.pointee.routing_key))
        case (AMQP_BASIC_GET_OK_METHOD, let decoded?):
            let found = unsafe decoded.assumingMemoryBound(to: amqp_basic_get_ok_t.self)
            self = unsafe .deliver(
                tag: found.pointee.delivery_tag, isRedelivered: found.pointee.redelivered != 0,
                Route(copying: found.pointee.exchange, found.pointee.routing_key))
        case (AMQP_BASIC_ACK_METHOD, let decoded?):
            let ack = unsafe decoded.assumingMemoryBound(to: amqp_basic_ack_t.self)
            self = unsafe .acknowledged(tag: ack.pointee.delivery_tag, isMultiple: ack.pointee.multiple != 0)
        case (AMQP_BASIC_NACK_METHOD, let decoded?):
            let nack = unsafe decoded.assumingMemoryBound(to: amqp_basic_nack_t.self)
            self = unsafe .refused(tag: nack.pointee.delivery_tag, isMultiple: nack.pointee.multiple != 0)
        case (AMQP_BASIC_RETURN_METHOD, let decoded?):
            let returned = unsafe decoded.assumingMemoryBound(to: amqp_basic_return_t.self)
            self = unsafe .returned(
                code: returned.pointee.reply_code, text: String(copying: returned.pointee.reply_text),
                Route(copying: returned.pointee.exchange, returned.pointee.routing_key))
        case (let id, let decoded):
            self = unsafe Frame(copyingNotice: id, decoded)
        }
    }

    /// The rarer methods, by which the broker ends or suspends something.
    private init(copyingNotice method: amqp_method_number_t, _ decoded: UnsafeMutableRawPointer?) {
        switch unsafe (method, decoded) {
        case (AMQP_BASIC_CANCEL_METHOD, _): self = .consumerCancelled
        case (AMQP_CONNECTION_BLOCKED_METHOD, let decoded?):
            let blocked = unsafe decoded.assumingMemoryBound(to: amqp_connection_blocked_t.self)
            self = unsafe .blocked(reason: String(copying: blocked.pointee.reason))
        case (AMQP_CONNECTION_UNBLOCKED_METHOD, _): self = .unblocked
        case (AMQP_CHANNEL_CLOSE_METHOD, let decoded?):
            let close = unsafe decoded.assumingMemoryBound(to: amqp_channel_close_t.self)
            self = unsafe .channelClosed(
                code: close.pointee.reply_code, text: String(copying: close.pointee.reply_text))
        case (AMQP_CONNECTION_CLOSE_METHOD, let decoded?):
            let close = unsafe decoded.assumingMemoryBound(to: amqp_connection_close_t.self)
            self = unsafe .connectionClosed(
                code: close.pointee.reply_code, text: String(copying: close.pointee.reply_text))
        default: self = .unexpected(method: method)
        }
    }
}

extension Properties {
    fileprivate init(copying source: UnsafePointer<amqp_basic_properties_t>) {
        let flags = unsafe Int32(truncatingIfNeeded: source.pointee._flags)
        var illegible: [String] = []
        func text(_ flag: Int32, _ bytes: amqp_bytes_t, _ name: String) -> String? {
            guard flags & flag != 0 else { return nil }
            if let text = unsafe String(legible: bytes) { return text }
            illegible.append(name)
            return unsafe String(copying: bytes)
        }
        unsafe self.init(
            messageID: text(AMQP_BASIC_MESSAGE_ID_FLAG, source.pointee.message_id, "message_id"),
            correlationID: text(AMQP_BASIC_CORRELATION_ID_FLAG, source.pointee.correlation_id, "correlation_id"),
            type: text(AMQP_BASIC_TYPE_FLAG, source.pointee.type, "type"),
            replyTo: text(AMQP_BASIC_REPLY_TO_FLAG, source.pointee.reply_to, "reply_to"),
            applicationID: text(AMQP_BASIC_APP_ID_FLAG, source.pointee.app_id, "app_id"),
            contentType: text(AMQP_BASIC_CONTENT_TYPE_FLAG, source.pointee.content_type, "content_type"),
            timestamp: flags & AMQP_BASIC_TIMESTAMP_FLAG != 0 ? source.pointee.timestamp : nil,
            isPersistent: flags & AMQP_BASIC_DELIVERY_MODE_FLAG != 0
                && source.pointee.delivery_mode == UInt8(AMQP_DELIVERY_PERSISTENT.rawValue))
        userID = unsafe text(AMQP_BASIC_USER_ID_FLAG, source.pointee.user_id, "user_id")
        contentEncoding = unsafe text(
            AMQP_BASIC_CONTENT_ENCODING_FLAG, source.pointee.content_encoding, "content_encoding")
        expiration = unsafe text(AMQP_BASIC_EXPIRATION_FLAG, source.pointee.expiration, "expiration")
        priority = unsafe flags & AMQP_BASIC_PRIORITY_FLAG != 0 ? source.pointee.priority : nil
        if flags & AMQP_BASIC_HEADERS_FLAG != 0 {
            headers = unsafe Self.headers(copying: source.pointee.headers, illegible: &illegible)
        }
        // Hardly ever given, so it goes with the headers.
        if let encoding = unsafe text(
            AMQP_BASIC_CONTENT_ENCODING_FLAG, source.pointee.content_encoding, "content_encoding")
        {
            headers[Self.contentEncoding] = .string(encoding)
        }
        self.illegible = illegible
    }

    /// The header that stands for the property `content_encoding`.
    static let contentEncoding = "content-encoding"

    static func headers(copying table: amqp_table_t) -> FieldTable {
        var illegible: [String] = []
        return unsafe headers(copying: table, illegible: &illegible)
    }

    /// - Parameter illegible: gets the names of the headers whose text is no UTF-8.
    private static func headers(copying table: amqp_table_t, illegible: inout [String]) -> FieldTable {
        let entries = unsafe UnsafeBufferPointer(start: table.entries, count: Int(max(0, table.num_entries)))
        var headers: [(String, HeaderValue)] = []
        headers.reserveCapacity(entries.count)
        for index in entries.indices {
            let entry = unsafe entries[index]
            let name = unsafe String(copying: entry.key)
            var isLegible = true
            unsafe headers.append((name, HeaderValue(copying: entry.value, isLegible: &isLegible)))
            if !isLegible { illegible.append(name) }
        }
        return FieldTable(headers)
    }
}

extension HeaderValue {
    fileprivate init(copying field: amqp_field_value_t, isLegible: inout Bool) {
        switch unsafe amqp_field_value_kind_t(UInt32(field.kind)) {
        case AMQP_FIELD_KIND_UTF8:
            let text = unsafe String(legible: field.value.bytes)
            isLegible = text != nil
            self = unsafe .string(text ?? String(copying: field.value.bytes))
        case AMQP_FIELD_KIND_BOOLEAN: self = unsafe .boolean(field.value.boolean != 0)
        case AMQP_FIELD_KIND_I8: self = unsafe .integer(Int64(field.value.i8))
        case AMQP_FIELD_KIND_U8: self = unsafe .integer(Int64(field.value.u8))
        case AMQP_FIELD_KIND_I16: self = unsafe .integer(Int64(field.value.i16))
        case AMQP_FIELD_KIND_U16: self = unsafe .integer(Int64(field.value.u16))
        case AMQP_FIELD_KIND_I32: self = unsafe .integer(Int64(field.value.i32))
        case AMQP_FIELD_KIND_U32: self = unsafe .integer(Int64(field.value.u32))
        case AMQP_FIELD_KIND_I64: self = unsafe .integer(field.value.i64)
        case AMQP_FIELD_KIND_U64:
            self = unsafe Int64(exactly: field.value.u64).map { .integer($0) } ?? .other("unsigned")
        case AMQP_FIELD_KIND_F32: self = unsafe .double(Double(field.value.f32))
        case AMQP_FIELD_KIND_F64: self = unsafe .double(field.value.f64)
        case AMQP_FIELD_KIND_TIMESTAMP: self = unsafe .timestamp(field.value.u64)
        case AMQP_FIELD_KIND_TABLE: self = .other("table")
        case AMQP_FIELD_KIND_ARRAY: self = .other("array")
        case AMQP_FIELD_KIND_DECIMAL: self = .other("decimal")
        case AMQP_FIELD_KIND_BYTES: self = .other("bytes")
        case AMQP_FIELD_KIND_VOID: self = .other("void")
        default: self = .other("unknown")
        }
    }
}

extension Route {
    fileprivate init(copying exchange: amqp_bytes_t, _ routingKey: amqp_bytes_t) {
        unsafe self.init(exchange: String(copying: exchange), routingKey: String(copying: routingKey))
    }
}

extension String {
    /// Copies the bytes, if they are UTF-8.
    fileprivate init?(legible bytes: amqp_bytes_t) {
        unsafe self.init(
            validating: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len), as: UTF8.self)
    }

    /// Copies the bytes, with `\xNN` for each byte that is not UTF-8.
    init(copying bytes: amqp_bytes_t) {
        guard let text = unsafe String(legible: bytes) else {
            let bytes = unsafe Array(UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.len))
            self = Self.escaping(bytes)
            return
        }
        self = text
    }

    private static func escaping(_ bytes: [UInt8]) -> String {
        var text = ""
        var rest = bytes[...]
        while let byte = rest.first {
            let character = (1...4).lazy.compactMap { String(validating: rest.prefix($0), as: UTF8.self) }.first
            if let character, !character.isEmpty {
                text += character
                rest = rest.dropFirst(character.utf8.count)
            } else {
                text += "\\x" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16, uppercase: true)
                rest = rest.dropFirst()
            }
        }
        return text
    }
}

extension Data {
    fileprivate init(copying bytes: amqp_bytes_t) {
        if let start = unsafe bytes.bytes { self = unsafe Data(bytes: start, count: bytes.len) } else { self = Data() }
    }
}
