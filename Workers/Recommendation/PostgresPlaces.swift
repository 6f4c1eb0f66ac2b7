import Contracts
import FoundationEssentials
import Postgres

/// Places and interests in the schema `recommendation`.
package struct PostgresPlaces: PlaceStore {
    package init() {}

    package func learn(
        _ places: [PlaceNews], _ interests: [ObserveInterest], in transaction: Transaction
    ) {
        var statements: [Statement] = []
        if !places.isEmpty { statements.append(keep(places)) }
        if !interests.isEmpty { statements.append(add(interests)) }
        transaction.postpone(statements)
    }

    private func keep(_ places: [PlaceNews]) -> Statement {
        let events = places.map(\.event)
        return Statement(
            """
            INSERT INTO place AS known
                (event_id, name, starts_at, venue_name, city, latitude, longitude, published_at)
            SELECT DISTINCT ON (event_id)
                event_id, name, starts_at, venue_name, city, latitude, longitude, published_at
            FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::float8[], $7::float8[],
                $8::timestamptz[]) WITH ORDINALITY
                AS news (event_id, name, starts_at, venue_name, city, latitude, longitude, published_at, number)
            ORDER BY event_id, published_at DESC, number DESC
            ON CONFLICT (event_id) DO UPDATE
            SET name = excluded.name, starts_at = excluded.starts_at, venue_name = excluded.venue_name,
                city = excluded.city, latitude = excluded.latitude, longitude = excluded.longitude,
                published_at = excluded.published_at
            WHERE known.published_at <= excluded.published_at
            """,
            events.map(\.eventId.uuid), events.map(\.name), events.map(\.startsAt), events.map(\.venue.name),
            events.map(\.venue.city), events.map(\.venue.latitude), events.map(\.venue.longitude),
            places.map(\.publishedAt))
    }

    /// The sum stops growing long before it would overflow.
    private func add(_ interests: [ObserveInterest]) -> Statement {
        Statement(
            """
            INSERT INTO interest AS known (user_id, event_id, weight)
            SELECT user_id, event_id, least(sum(weight), 1000000)
            FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS seen (user_id, event_id, weight)
            GROUP BY user_id, event_id
            ORDER BY user_id, event_id
            ON CONFLICT (user_id, event_id) DO UPDATE
            SET weight = least(known.weight + excluded.weight, 1000000)
            """,
            interests.map(\.userId), interests.map(\.eventId.uuid), interests.map(\.weight))
    }
}
