import struct FoundationEssentials.Data

/// One frame from the broker as a plain value: nothing in it points into the library's memory.
enum Frame: Equatable {
    case deliver(tag: UInt64, isRedelivered: Bool, Route)
    case returned(code: UInt16, text: String, Route)
    case header(bodySize: UInt64, Properties)
    case body(Data)
    case acknowledged(tag: UInt64, isMultiple: Bool)
    case refused(tag: UInt64, isMultiple: Bool)
    case consumerCancelled
    case blocked(reason: String)
    case unblocked
    case channelClosed(code: UInt16, text: String)
    case connectionClosed(code: UInt16, text: String)
    /// A method nobody here waits for, by its number.
    case unexpected(method: UInt32)
}

/// The exchange and routing key a message was published with.
struct Route: Equatable {
    let exchange: String
    let routingKey: String
}

/// What a connection tells its actor, once frames are put together.
enum BrokerEvent: Equatable {
    case delivered(Delivery)
    case returned(code: UInt16, text: String, Delivery)
    case settled(tag: UInt64, isMultiple: Bool, isAccepted: Bool)
    case consumerCancelled
    case blocked(reason: String)
    case unblocked
    case channelClosed(BrokerError)
    case connectionClosed(BrokerError)
}
