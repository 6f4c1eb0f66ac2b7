import Catalogue
import Contracts
import FleetStorage
import FoundationEssentials
import HTTPTypes
import Hosting
import Hummingbird
import Postgres
import WebKit

/// The routes that put events on sale and show them.
package struct EventRoutes: Sendable {
    let publishing: EventPublishing
    let catalogue: EventCatalogue
    let availability: Availability
    let pool: PostgresPool

    package init(publishing: EventPublishing, catalogue: EventCatalogue, availability: Availability, pool: PostgresPool)
    {
        self.publishing = publishing
        self.catalogue = catalogue
        self.availability = availability
        self.pool = pool
    }

    func add(to router: Router<some RequestContext>) {
        router.post("events") { request, _ in try await publish(request) }
        router.get("events") { request, _ in try await list(request) }
        router.get("events/:id") { _, context in
            try await show(context.parameters.identifier(EventID.self))
        }
        router.get("events/:id/availability") { _, context in
            let event = try context.parameters.identifier(EventID.self)
            guard try await catalogue.exists(event) else { throw Self.unknown(event) }
            return Response.json(200, try await availability.of(event))
        }
        router.get("recommendations") { request, _ in try await recommend(request) }
    }

    private func publish(_ request: Request) async throws -> Response {
        let key = try request.idempotencyKey
        let body = try await request.jsonBody(upTo: Limits.eventBodyBytes)
        let event = try StrictBody.read(PublishEvent.self, from: body, fields: PublishEvent.fields)
        let id: EventID
        switch try await publishing.publish(
            event, key: key.map { "http:\($0)" }, fingerprint: try Fingerprint.of(event),
            traceparent: request.traceparent)
        {
        case .published(let new):
            id = new
            await availability.untilStocked(new, tiers: event.tiers.count)
        case .repeated(let earlier): id = earlier
        case .keyReused: throw Problem(.keyReused, "the key was used for another request")
        case .rejected(let problem): throw problem
        }
        var response = Response.json(201, EventAnswer(id, event))
        response.headers[.location] = "/events/\(id)"
        return response
    }

    private func list(_ request: Request) async throws -> Response {
        let query = QueryReader(request)
        let limit = try query.limit()
        let events = try await catalogue.page(limit, before: try query.identifier("cursor"))
        return .json(200, Page(events, limit: limit) { $0.eventId.description })
    }

    private func show(_ id: EventID) async throws -> Response {
        guard let document = try await catalogue.document(of: id) else { throw Self.unknown(id) }
        return .json(.ok, document)
    }

    private static func unknown(_ id: EventID) -> Problem {
        Problem(.notFound, "there is no event \(id)")
    }

    private struct Nearby: Encodable {
        let eventId: EventID
        let name: String
        let startsAt: Date
        let venue: Venue
        let distanceKm: Double
    }

    private func recommend(_ request: Request) async throws -> Response {
        let query = QueryReader(request)
        let latitude = try query.number("latitude", in: -90...90)
        let longitude = try query.number("longitude", in: -180...180)
        let radius = try query.number("radiusKm", in: Limits.radiusKilometres)
        let limit = try query.limit()
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                """
                SELECT event_id, name, starts_at, venue_name, city, latitude, longitude, distance_km
                FROM recommendation.events_near($1, $2, $3, $4)
                """, [latitude, longitude, radius, Int32(limit)],
                as: (UUID, String, Date, String, String, Double, Double, Double).self)
        }
        let events = rows.map { row in
            Nearby(
                eventId: EventID(row.0), name: row.1, startsAt: row.2,
                venue: Venue(name: row.3, city: row.4, latitude: row.5, longitude: row.6), distanceKm: row.7)
        }
        return .json(200, ["events": events])
    }
}
