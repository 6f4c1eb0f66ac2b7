/// A purchase was accepted and is under way.
package struct PurchaseStarted: Message {
    package static let kind = MessageKind.purchaseStarted
    package let sagaId: SagaID
    package let eventId: EventID
    package let userId: String
    package let quantity: Int
    package let amount: Money

    package init(sagaId: SagaID, eventId: EventID, userId: String, quantity: Int, amount: Money) {
        self.sagaId = sagaId
        self.eventId = eventId
        self.userId = userId
        self.quantity = quantity
        self.amount = amount
    }
}

/// A purchase ended with tickets.
package struct PurchaseCompleted: Message {
    package static let kind = MessageKind.purchaseCompleted
    package let sagaId: SagaID
    package let eventId: EventID
    package let userId: String
    package let amount: Money
    package let tickets: [IssuedTicket]

    package init(sagaId: SagaID, eventId: EventID, userId: String, amount: Money, tickets: [IssuedTicket]) {
        self.sagaId = sagaId
        self.eventId = eventId
        self.userId = userId
        self.amount = amount
        self.tickets = tickets
    }
}

/// A purchase ended with neither tickets nor money taken.
package struct PurchaseRefused: Message {
    package static let kind = MessageKind.purchaseRefused
    package let sagaId: SagaID
    package let eventId: EventID
    package let userId: String
    package let reason: String
    /// How many places were left, where fewer were left than wanted.
    package let available: Int?

    package init(sagaId: SagaID, eventId: EventID, userId: String, reason: String, available: Int? = nil) {
        self.sagaId = sagaId
        self.eventId = eventId
        self.userId = userId
        self.reason = reason
        self.available = available
    }
}

/// A completed purchase was undone: its tickets are void and its money went back.
package struct PurchaseRefunded: Message {
    package static let kind = MessageKind.purchaseRefunded
    package let sagaId: SagaID
    package let eventId: EventID
    package let userId: String
    package let amount: Money

    package init(sagaId: SagaID, eventId: EventID, userId: String, amount: Money) {
        self.sagaId = sagaId
        self.eventId = eventId
        self.userId = userId
        self.amount = amount
    }
}

/// Tickets of one purchase exist.
package struct TicketIssued: Message {
    package static let kind = MessageKind.ticketIssued
    package let sagaId: SagaID
    package let eventId: EventID
    package let userId: String
    package let tickets: [IssuedTicket]

    package init(sagaId: SagaID, eventId: EventID, userId: String, tickets: [IssuedTicket]) {
        self.sagaId = sagaId
        self.eventId = eventId
        self.userId = userId
        self.tickets = tickets
    }
}
