import Contracts
import FleetRuntime
import FleetStorage
import Foundation
import Postgres
import Recommendation
import TestKit

/// The recommendation role on a database of its own; answers are read as the orchestrator would.
struct PlaceBench: Sendable {
    let owner: PostgresConnection
    let orchestrator: PostgresConnection
    let nearby: NearbyEvents
    private let handler: any BatchHandler

    static func with(_ body: (PlaceBench) async throws -> Void) async throws {
        try await withTestDatabase([(.recommendation, RecommendationService.migrations)]) { database in
            try await body(PlaceBench(database))
        }
    }

    init(_ database: TestDatabase) {
        owner = database.owner()
        orchestrator = database.connection(as: .orchestrator)
        nearby = NearbyEvents(orchestrator)
        handler = IdempotentConsumer(
            RecommendationWorker(store: PostgresPlaces()),
            ledger: PostgresInboxStore(database.connection(as: .recommendation)))
    }

    func handle(_ envelopes: [Envelope]) async throws -> [Outcome] {
        try await handler.handle(envelopes)
    }

    /// Publishes events by name, at these places.
    func publish(_ places: [(name: String, latitude: Double, longitude: Double)]) async throws {
        _ = try await handle(
            places.map { try .published(.make(), $0.name, latitude: $0.latitude, longitude: $0.longitude) })
    }

    func names(within kilometres: Double, of latitude: Double, _ longitude: Double) async throws -> [String] {
        try await nearby.within(kilometres: kilometres, of: latitude, longitude, limit: 50).map(\.name)
    }
}

extension Envelope {
    static func published(
        _ event: EventID, _ name: String, latitude: Double = 52.52, longitude: Double = 13.405,
        starts seconds: TimeInterval = 86_400, at time: Date = Date(), id: MessageID = .make()
    ) throws -> Envelope {
        let news = EventPublished(
            eventId: event, name: name, startsAt: Date(timeIntervalSinceNow: seconds),
            venue: Venue(name: "Hall", city: "Town", latitude: latitude, longitude: longitude))
        return try Envelope(id: id, news, sagaID: nil, step: nil, causationID: nil, occurredAt: time)
    }

    static func observed(_ user: String, _ event: EventID, weight: Int = 1) throws -> Envelope {
        try Envelope(
            id: .make(), ObserveInterest(userId: user, eventId: event, weight: weight), sagaID: nil, step: nil,
            causationID: nil, occurredAt: Date())
    }
}
