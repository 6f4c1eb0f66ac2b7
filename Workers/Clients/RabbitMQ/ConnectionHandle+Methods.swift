import CRabbitMQ
import FoundationEssentials

/// The AMQP methods used here, one call each; strings live in the arena until the call returns.
extension ConnectionHandle {
    func openChannel() throws(BrokerError) {
        unsafe amqp_channel_open(pointer, Self.channel)
        try checkLastReply("opening a channel")
    }

    func confirmPublications() throws(BrokerError) {
        unsafe amqp_confirm_select(pointer, Self.channel)
        try checkLastReply("asking for confirms")
    }

    func prefetch(_ count: UInt16) throws(BrokerError) {
        unsafe amqp_basic_qos(pointer, Self.channel, 0, count, 0)
        try checkLastReply("setting the prefetch count")
    }

    mutating func consume(_ queue: String, consumer: String) throws(BrokerError) {
        arena.reset()
        unsafe amqp_basic_consume(
            pointer, Self.channel, arena.lend(queue), arena.lend(consumer), 0, 0, 0, amqp_empty_table)
        try checkLastReply("consuming from \(queue)")
    }

    mutating func cancel(consumer: String) throws(BrokerError) {
        arena.reset()
        unsafe amqp_basic_cancel(pointer, Self.channel, arena.lend(consumer))
        try checkLastReply("cancelling the consumer")
    }

    func acknowledge(_ tag: UInt64, isMultiple: Bool) throws(BrokerError) {
        try check(unsafe amqp_basic_ack(pointer, Self.channel, tag, isMultiple ? 1 : 0), "acknowledging")
    }

    func reject(_ tag: UInt64, requeue: Bool) throws(BrokerError) {
        try check(unsafe amqp_basic_reject(pointer, Self.channel, tag, requeue ? 1 : 0), "rejecting")
    }

    /// `amqp_send_frame` of an empty frame, the only form that the library has for it.
    func sendHeartbeat() throws(BrokerError) {
        var frame = unsafe amqp_frame_t()
        unsafe frame.frame_type = UInt8(AMQP_FRAME_HEARTBEAT)
        try check(unsafe amqp_send_frame(pointer, &frame), "sending a heartbeat")
    }

    func handBack(_ tag: UInt64, isMultiple: Bool) throws(BrokerError) {
        try check(unsafe amqp_basic_nack(pointer, Self.channel, tag, isMultiple ? 1 : 0, 1), "handing back")
    }

    /// Writes one message, which must have no `flaw`; success says nothing about its fate.
    mutating func publish(_ publication: borrowing Publication) throws(BrokerError) {
        arena.reset()
        var properties = unsafe basicProperties(publication.properties)
        let exchange = unsafe arena.lend(publication.exchange)
        let routingKey = unsafe arena.lend(publication.routingKey)
        let isMandatory: amqp_boolean_t = publication.isMandatory ? 1 : 0
        let status = unsafe publication.body.withUnsafeBytes { body in
            unsafe amqp_basic_publish(
                pointer, Self.channel, exchange, routingKey, isMandatory, 0, &properties,
                amqp_bytes_t(len: body.count, bytes: UnsafeMutableRawPointer(mutating: body.baseAddress)))
        }
        try check(status, "publishing")
    }

    private mutating func basicProperties(_ source: Properties) -> amqp_basic_properties_t {
        var result = unsafe amqp_basic_properties_t()
        var flags = AMQP_BASIC_DELIVERY_MODE_FLAG
        func lend(_ text: String?, _ flag: Int32, _ arena: inout Arena) -> amqp_bytes_t {
            guard let text else { return unsafe amqp_empty_bytes }
            flags |= flag
            return unsafe arena.lend(text)
        }
        unsafe result.message_id = lend(source.messageID, AMQP_BASIC_MESSAGE_ID_FLAG, &arena)
        unsafe result.correlation_id = lend(source.correlationID, AMQP_BASIC_CORRELATION_ID_FLAG, &arena)
        unsafe result.type = lend(source.type, AMQP_BASIC_TYPE_FLAG, &arena)
        unsafe result.reply_to = lend(source.replyTo, AMQP_BASIC_REPLY_TO_FLAG, &arena)
        unsafe result.app_id = lend(source.applicationID, AMQP_BASIC_APP_ID_FLAG, &arena)
        unsafe result.content_type = lend(source.contentType, AMQP_BASIC_CONTENT_TYPE_FLAG, &arena)
        unsafe result.content_encoding = lend(source.contentEncoding, AMQP_BASIC_CONTENT_ENCODING_FLAG, &arena)
        if let priority = source.priority {
            flags |= AMQP_BASIC_PRIORITY_FLAG
            unsafe result.priority = priority
        }
        let mode = source.isPersistent ? AMQP_DELIVERY_PERSISTENT : AMQP_DELIVERY_NONPERSISTENT
        unsafe result.delivery_mode = UInt8(mode.rawValue)
        if let timestamp = source.timestamp {
            flags |= AMQP_BASIC_TIMESTAMP_FLAG
            unsafe result.timestamp = timestamp
        }
        if !source.headers.isEmpty {
            flags |= AMQP_BASIC_HEADERS_FLAG
            unsafe result.headers = arena.lend(source.headers)
        }
        unsafe result._flags = amqp_flags_t(flags)
        return unsafe result
    }

    func checkLastReply(_ operation: String) throws(BrokerError) {
        try unsafe check(amqp_get_rpc_reply(pointer), operation)
    }
}
