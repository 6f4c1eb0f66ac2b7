/// Asks to tell a buyer how a purchase ended.
package struct SendNotification: Message {
    package static let kind = MessageKind.notify

    package enum Template: String, Codable, Sendable, CaseIterable {
        case purchaseCompleted = "purchase-completed"
        case purchaseRefused = "purchase-refused"
        case purchaseRefunded = "purchase-refunded"
    }

    package let template: Template
    package let userId: String
    package let email: String?
    package let eventId: EventID
    package let amount: Money
    package let reason: String?
    package let tickets: [IssuedTicket]

    package init(
        template: Template, userId: String, email: String?, eventId: EventID, amount: Money, reason: String?,
        tickets: [IssuedTicket]
    ) {
        self.template = template
        self.userId = userId
        self.email = email
        self.eventId = eventId
        self.amount = amount
        self.reason = reason
        self.tickets = tickets
    }
}
