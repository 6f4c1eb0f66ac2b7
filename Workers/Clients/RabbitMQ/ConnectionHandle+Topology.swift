import CRabbitMQ

/// The AMQP methods that declare, inspect and empty exchanges and queues.
extension ConnectionHandle {
    mutating func declareExchange(
        _ name: String, kind: String, isDurable: Bool, isPassive: Bool
    ) throws(BrokerError) {
        arena.reset()
        unsafe amqp_exchange_declare(
            pointer, Self.channel, arena.lend(name), arena.lend(kind), isPassive ? 1 : 0, isDurable ? 1 : 0, 0, 0,
            amqp_empty_table)
        try checkLastReply("\(isPassive ? "checking" : "declaring") exchange \(name)")
    }

    /// Declares a queue, or with `isPassive` only asks for it, whatever it is like.
    @discardableResult
    mutating func declareQueue(
        _ name: String, arguments: FieldTable, isDurable: Bool = true, isPassive: Bool
    ) throws(BrokerError) -> (messages: Int, consumers: Int) {
        arena.reset()
        let answer = unsafe amqp_queue_declare(
            pointer, Self.channel, arena.lend(name), isPassive ? 1 : 0, isDurable ? 1 : 0, 0, 0,
            arena.lend(arguments))
        try checkLastReply("\(isPassive ? "checking" : "declaring") queue \(name)")
        guard let answer = unsafe answer else {
            throw BrokerError(.protocolViolation, during: "declaring queue \(name)", "no answer")
        }
        return unsafe (Int(answer.pointee.message_count), Int(answer.pointee.consumer_count))
    }

    mutating func bindQueue(_ queue: String, to exchange: String, routingKey: String) throws(BrokerError) {
        arena.reset()
        unsafe amqp_queue_bind(
            pointer, Self.channel, arena.lend(queue), arena.lend(exchange), arena.lend(routingKey), amqp_empty_table)
        try checkLastReply("binding queue \(queue) to \(exchange)")
    }

    mutating func deleteQueue(_ name: String) throws(BrokerError) {
        arena.reset()
        unsafe amqp_queue_delete(pointer, Self.channel, arena.lend(name), 0, 0)
        try checkLastReply("deleting queue \(name)")
    }

    mutating func deleteExchange(_ name: String) throws(BrokerError) {
        arena.reset()
        unsafe amqp_exchange_delete(pointer, Self.channel, arena.lend(name), 0)
        try checkLastReply("deleting exchange \(name)")
    }

    mutating func purgeQueue(_ name: String) throws(BrokerError) {
        arena.reset()
        unsafe amqp_queue_purge(pointer, Self.channel, arena.lend(name))
        try checkLastReply("purging queue \(name)")
    }

    /// Asks for one message; the answer is the frame that opens it, or nil for an empty queue.
    mutating func get(_ queue: String) throws(BrokerError) -> Frame? {
        arena.reset()
        let reply = unsafe amqp_basic_get(pointer, Self.channel, arena.lend(queue), 0)
        try unsafe check(reply, "getting from queue \(queue)")
        guard unsafe reply.reply.id == AMQP_BASIC_GET_OK_METHOD else { return nil }
        return unsafe Frame(copyingMethod: reply.reply)
    }

    /// What the broker said about itself when the connection was opened.
    var serverProperties: FieldTable {
        guard let table = unsafe amqp_get_server_properties(pointer) else { return [:] }
        return unsafe Properties.headers(copying: table.pointee)
    }
}
