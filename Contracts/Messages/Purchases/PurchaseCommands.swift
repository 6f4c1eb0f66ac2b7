/// Asks for a purchase, over AMQP or as the body of `POST /saga/start`; checked by the orchestrator.
package struct StartPurchase: Message {
    package static let kind = MessageKind.purchaseStart
    package var userId: String
    package var eventId: EventID
    /// May be left out when the event has one tier, or when `seats` name one.
    package var tier: String?
    package var quantity: Int?
    package var seats: [String]?
    package var paymentMethod: String?
    package var email: String?
    package var holdSeconds: Int?

    package init(
        userId: String, eventId: EventID, tier: String? = nil, quantity: Int? = nil, seats: [String]? = nil,
        paymentMethod: String? = nil, email: String? = nil, holdSeconds: Int? = nil
    ) {
        self.userId = userId
        self.eventId = eventId
        self.tier = tier
        self.quantity = quantity
        self.seats = seats
        self.paymentMethod = paymentMethod
        self.email = email
        self.holdSeconds = holdSeconds
    }
}

/// Asks to end a purchase that is not paid yet.
package struct CancelPurchase: Message {
    package static let kind = MessageKind.purchaseCancel
    package let sagaId: SagaID

    package init(sagaId: SagaID) { self.sagaId = sagaId }
}

/// The purchase was accepted: it will reach an outcome, whatever happens.
package struct PurchaseAccepted: Message {
    package static let kind = MessageKind.purchaseAccepted
    package let sagaId: SagaID

    package init(sagaId: SagaID) { self.sagaId = sagaId }
}

/// The purchase was not accepted, and why.
package struct PurchaseRejected: Message {
    package static let kind = MessageKind.purchaseRejected
    package let problem: Problem

    package init(problem: Problem) { self.problem = problem }
}
