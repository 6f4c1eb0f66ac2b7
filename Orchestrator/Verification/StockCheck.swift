import Contracts
import FoundationEssentials
import Postgres

/// Whether the stock is conserved: tiers against holds and seats, seats against holds, tickets against holds.
struct StockCheck {
    private let connection: PostgresConnection

    init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    func run() async throws -> [Violation] {
        try await tiers() + seatsOfNobody() + holdsWithoutSeats() + soldTwice() + tickets()
    }

    private func tiers() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT coalesce(t.event_id, h.event_id), coalesce(t.tier, h.tier), t.capacity, t.held, t.sold,
                coalesce(h.held, 0), coalesce(h.sold, 0), t.is_seated, t.stocked,
                coalesce(s.seats, 0), coalesce(s.held, 0), coalesce(s.sold, 0)
            FROM reservation.tier_list t
            FULL JOIN (
                SELECT event_id, tier, coalesce(sum(quantity) FILTER (WHERE status = 'held'), 0)::bigint AS held,
                    coalesce(sum(quantity) FILTER (WHERE status = 'sold'), 0)::bigint AS sold
                FROM reservation.hold_list WHERE tier IS NOT NULL GROUP BY event_id, tier
            ) h ON h.event_id = t.event_id AND h.tier = t.tier
            LEFT JOIN (
                SELECT event_id, tier, count(*) AS seats, count(*) FILTER (WHERE status = 'held') AS held,
                    count(*) FILTER (WHERE status = 'sold') AS sold
                FROM reservation.seat_list GROUP BY event_id, tier
            ) s ON s.event_id = t.event_id AND s.tier = t.tier
            WHERE t.event_id IS NULL OR t.held < 0 OR t.sold < 0 OR t.held + t.sold > t.capacity
                OR t.held <> coalesce(h.held, 0) OR t.sold <> coalesce(h.sold, 0)
                OR CASE WHEN t.is_seated
                    THEN (t.stocked, t.held, t.sold)
                        <> (coalesce(s.seats, 0), coalesce(s.held, 0), coalesce(s.sold, 0))
                    ELSE s.seats > 0 END
            """,
            as: (UUID, String, Int?, Int?, Int?, Int, Int, Bool?, Int?, Int, Int, Int).self
        ).map {
            event, tier, capacity, held, sold, holdsHeld, holdsSold, isSeated, stocked, seats, seatsHeld, seatsSold in
            let subject = "tier \(EventID(event))/\(tier)"
            guard let capacity, let held, let sold else {
                return Violation(.stockIsConserved, subject, "it has holds and is not there")
            }
            var detail = "capacity \(capacity), held \(held), sold \(sold); its holds: \(holdsHeld) and \(holdsSold)"
            if isSeated == true {
                detail += "; its seats: \(seatsHeld) and \(seatsSold), \(seats) there of \(stocked ?? 0) stocked"
            }
            return Violation(.stockIsConserved, subject, detail)
        }
    }

    private func seatsOfNobody() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT s.event_id, s.tier, s.name, s.status, s.saga_id, h.status
            FROM reservation.seat_list s LEFT JOIN reservation.hold_list h ON h.saga_id = s.saga_id
            WHERE s.status <> 'free' AND (h.status, h.event_id, h.tier, s.name = ANY(h.seats))
                IS DISTINCT FROM (s.status, s.event_id, s.tier, true)
            """,
            as: (UUID, String, String, String, UUID?, String?).self
        ).map { event, tier, name, status, saga, hold in
            Violation(
                .seatsHaveOneHolder, "seat \(EventID(event))/\(tier)/\(name)",
                "it is \(status) by saga \(saga.map { SagaID($0).description } ?? "none"), "
                    + "whose hold \(hold.map { "is \($0) or names other seats" } ?? "does not exist")")
        }
    }

    private func holdsWithoutSeats() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT h.saga_id, h.status, named.seat, s.status, s.saga_id
            FROM reservation.hold_list h CROSS JOIN unnest(h.seats) AS named (seat)
            LEFT JOIN reservation.seat_list s
                ON s.event_id = h.event_id AND s.tier = h.tier AND s.name = named.seat
            WHERE h.status IN ('held', 'sold') AND s.saga_id IS DISTINCT FROM h.saga_id
            """,
            as: (UUID, String, String, String?, UUID?).self
        ).map { saga, status, seat, seatStatus, other in
            let owner = other.map { "belongs to saga \(SagaID($0))" } ?? "is \(seatStatus ?? "not there")"
            return Violation(
                .seatsHaveOneHolder, saga: SagaID(saga),
                "its hold is \(status) and names the seat \(seat), which \(owner)")
        }
    }

    private func soldTwice() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT event_id, tier, seat, count(*) FROM reservation.ticket_list
            WHERE status = 'valid' AND seat IS NOT NULL GROUP BY event_id, tier, seat HAVING count(*) > 1
            """,
            as: (UUID, String, String, Int).self
        ).map { event, tier, seat, tickets in
            Violation(
                .effectsHappenOnce, "seat \(EventID(event))/\(tier)/\(seat)", "it has \(tickets) valid tickets")
        }
    }

    private func tickets() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT saga_id, h.status, h.quantity, coalesce(t.valid, 0), coalesce(t.total, 0)
            FROM reservation.hold_list h FULL JOIN (
                SELECT saga_id, count(*) FILTER (WHERE status = 'valid') AS valid, count(*) AS total
                FROM reservation.ticket_list GROUP BY saga_id
            ) t USING (saga_id)
            WHERE (coalesce(t.valid, 0), coalesce(t.total, 0)) <> CASE h.status
                WHEN 'sold' THEN (h.quantity::bigint, h.quantity::bigint)
                WHEN 'void' THEN (0::bigint, h.quantity::bigint)
                ELSE (0::bigint, 0::bigint) END
            """,
            as: (UUID, String?, Int?, Int, Int).self
        ).map { saga, status, quantity, valid, total in
            let hold = status.map { "its hold of \(quantity ?? 0) is \($0)" } ?? "it has no hold"
            return Violation(
                .ticketsFollowHolds, saga: SagaID(saga), "\(hold), with \(valid) valid tickets of \(total)")
        }
    }
}
