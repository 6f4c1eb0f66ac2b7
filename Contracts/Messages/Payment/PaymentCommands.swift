/// Asks to take the money of one purchase, once.
package struct ChargePayment: Message {
    package static let kind = MessageKind.charge
    package let amount: Money
    /// The provider's token of how the buyer pays.
    package let method: String

    package init(amount: Money, method: String) {
        self.amount = amount
        self.method = method
    }
}

/// Asks that the purchase's payment can never be captured from now on, and what became of it.
package struct ClosePayment: Message {
    package static let kind = MessageKind.close
    package let reason: String

    package init(reason: String) { self.reason = reason }
}

/// Asks to pay the captured amount back in full.
package struct RefundPayment: Message {
    package static let kind = MessageKind.refund
    package let amount: Money
    package let reason: String

    package init(amount: Money, reason: String) {
        self.amount = amount
        self.reason = reason
    }
}
