import Contracts
import FoundationEssentials
import Postgres

/// Whether stock and places are those of the events that were published.
struct CatalogueCheck {
    private let connection: PostgresConnection

    init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    func run() async throws -> [Violation] {
        try await tiers() + seats() + places()
    }

    /// The tiers of the events; of one that is not stocked yet some may be missing.
    private static let published = """
        SELECT event.id AS event_id, tier ->> 'name' AS name, tier ->> 'capacity' AS capacity,
            tier -> 'seats' AS seats, is_stocked
        FROM event CROSS JOIN jsonb_array_elements(
            CASE jsonb_typeof(body -> 'tiers') WHEN 'array' THEN body -> 'tiers' END) AS tier
        """

    private func tiers() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT coalesce(p.event_id, t.event_id), coalesce(p.name, t.tier), p.capacity, t.capacity::text
            FROM (\(Self.published)) AS p
            FULL JOIN reservation.tier_list t ON t.event_id = p.event_id AND t.tier = p.name
            WHERE p.event_id IS NULL OR (t.event_id IS NULL AND p.is_stocked)
                OR (t.capacity::text, t.is_seated) <> (p.capacity, p.seats IS NOT NULL)
            """, as: (UUID, String, String?, String?).self
        ).map { event, tier, published, stocked in
            Violation(
                .stockIsConserved, "tier \(EventID(event))/\(tier)",
                "published with \(published ?? "no") places, it is stocked with \(stocked ?? "none")")
        }
    }

    /// Names and ranks of the seats, hashed by tier.
    private func seats() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT p.event_id, p.name FROM (\(Self.published)) AS p
            LEFT JOIN (
                SELECT event_id, tier, count(*) AS seats, bit_xor(hashtextextended(name, rank)) AS digest
                FROM reservation.seat_map GROUP BY event_id, tier
            ) AS s ON s.event_id = p.event_id AND s.tier = p.name
            CROSS JOIN LATERAL (
                SELECT count(*) AS seats, bit_xor(hashtextextended(name, rank - 1)) AS digest
                FROM jsonb_array_elements_text(CASE jsonb_typeof(p.seats) WHEN 'array' THEN p.seats END)
                    WITH ORDINALITY AS seat (name, rank)
            ) AS published
            WHERE p.is_stocked AND jsonb_typeof(p.seats) = 'array'
                AND (s.seats, s.digest) IS DISTINCT FROM (published.seats, published.digest)
            """, as: (UUID, String).self
        ).map { event, tier in
            Violation(
                .stockIsConserved, "tier \(EventID(event))/\(tier)", "its seats are not those that were published")
        }
    }

    /// A number of an event as text; NULL where there stands none.
    private static func number(_ path: String) -> String {
        "CASE jsonb_typeof(body #> '\(path)') WHEN 'number' THEN (body #> '\(path)')::float8::text END"
    }

    /// What is recommended is what was published; that it is recommended at all is not asked.
    private func places() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT p.event_id, event.id IS NULL
            FROM recommendation.place_list p LEFT JOIN event ON event.id = p.event_id
            WHERE (p.name, p.venue_name, p.city, p.latitude::text, p.longitude::text, p.starts_at) IS DISTINCT FROM (
                body ->> 'name', body #>> '{venue,name}', body #>> '{venue,city}',
                \(Self.number("{venue,latitude}")), \(Self.number("{venue,longitude}")),
                readable_time(body ->> 'startsAt'))
            """, as: (UUID, Bool).self
        ).map { event, isUnknown in
            Violation(
                .nothingIsLost, "event \(EventID(event))",
                isUnknown ? "it is recommended and not there" : "it is recommended otherwise than it was published")
        }
    }
}
