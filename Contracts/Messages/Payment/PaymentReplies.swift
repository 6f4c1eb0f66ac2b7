/// The money was taken.
package struct PaymentCaptured: Message {
    package static let kind = MessageKind.captured
    package let chargeId: String
    package let amount: Money

    package init(chargeId: String, amount: Money) {
        self.chargeId = chargeId
        self.amount = amount
    }
}

/// The provider refused, and no money will be taken.
package struct PaymentDeclined: Message {
    package static let kind = MessageKind.declined
    package let reason: String

    package init(reason: String) { self.reason = reason }
}

/// The payment was ended before any money was taken, and none will be.
package struct PaymentClosed: Message {
    package static let kind = MessageKind.closed

    package init() {}
}

/// The money went back in full.
package struct PaymentRefunded: Message {
    package static let kind = MessageKind.refunded
    package let amount: Money

    package init(amount: Money) { self.amount = amount }
}
