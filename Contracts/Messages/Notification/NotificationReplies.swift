/// The buyer was told.
package struct NotificationDelivered: Message {
    package static let kind = MessageKind.delivered
    package let channel: String

    package init(channel: String) { self.channel = channel }
}

/// The buyer could not be told, and nobody will try again.
package struct NotificationFailed: Message {
    package static let kind = MessageKind.notificationFailed
    package let reason: String

    package init(reason: String) { self.reason = reason }
}
