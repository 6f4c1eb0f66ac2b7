/// Tells that a user showed interest in an event.
package struct ObserveInterest: Message {
    package static let kind = MessageKind.observe
    package let userId: String
    package let eventId: EventID
    /// How strong the interest is: 1 for a look, more for a purchase.
    package let weight: Int

    package init(userId: String, eventId: EventID, weight: Int) {
        self.userId = userId
        self.eventId = eventId
        self.weight = weight
    }
}
