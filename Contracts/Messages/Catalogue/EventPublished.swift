import FoundationEssentials

/// An event went on sale.
package struct EventPublished: Message {
    package static let kind = MessageKind.eventPublished
    package let eventId: EventID
    package let name: String
    package let startsAt: Date
    package let venue: Venue

    package init(eventId: EventID, name: String, startsAt: Date, venue: Venue) {
        self.eventId = eventId
        self.name = name
        self.startsAt = startsAt
        self.venue = venue
    }
}

/// Where an event takes place; degrees are WGS 84.
package struct Venue: Codable, Sendable, Equatable {
    package let name: String
    package let city: String
    package let latitude: Double
    package let longitude: Double

    package init(name: String, city: String, latitude: Double, longitude: Double) {
        self.name = name
        self.city = city
        self.latitude = latitude
        self.longitude = longitude
    }
}
