import Contracts
import FoundationEssentials
import Postgres

/// An event and how far away it is.
package struct NearbyEvent: Sendable, Equatable {
    package let eventID: EventID
    package let name: String
    package let startsAt: Date
    package let venue: Venue
    package let distanceKilometres: Double
}

/// Answers what is on near a place: events to come before those that have begun, the nearest first.
package struct NearbyEvents: Sendable {
    let connection: PostgresConnection

    package init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    /// The events at most so far away as the crow flies, at most `limit` of them and never more than 200.
    package func within(
        kilometres radius: Double, of latitude: Double, _ longitude: Double, limit: Int
    ) async throws -> [NearbyEvent] {
        let rows = try await connection.query(
            """
            SELECT event_id, name, starts_at, venue_name, city, latitude, longitude, distance_km
            FROM recommendation.events_near($1, $2, $3, $4::bigint::int)
            """,
            [latitude, longitude, radius, min(max(limit, 0), Limits.pageSize.upperBound)],
            as: (UUID, String, Date, String, String, Double, Double, Double).self)
        return rows.map { eventID, name, startsAt, venue, city, latitude, longitude, distance in
            NearbyEvent(
                eventID: EventID(eventID), name: name, startsAt: startsAt,
                venue: Venue(name: venue, city: city, latitude: latitude, longitude: longitude),
                distanceKilometres: distance)
        }
    }
}
