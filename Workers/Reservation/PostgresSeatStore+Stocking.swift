import Contracts
import FoundationEssentials
import Postgres

extension PostgresSeatStore {
    /// Adds the tiers and seats that are not there yet; a tier that is there keeps its capacity and its way of selling.
    ///
    /// This locks tiers before the batch locks its holds; a replica that sells them at that moment may cost a deadlock,
    /// which is transient and as rare as new stock.
    package func add(_ events: [StockEvent], in transaction: Transaction) {
        let tiers = events.flatMap { event in
            event.tiers.map { (id: TierID(event: event.eventId, name: $0.name), $0) }
        }.sorted { $0.id < $1.id }
        var statements = [insertTiers(tiers)]
        if tiers.contains(where: { $0.1.seats?.isEmpty == false }) { statements.append(insertSeats(tiers)) }
        transaction.postpone(statements)
    }

    private func insertTiers(_ tiers: [(id: TierID, StockEvent.Tier)]) -> Statement {
        Statement(
            """
            INSERT INTO tier (event_id, name, capacity, is_seated)
            SELECT * FROM unnest($1, $2, $3::int[], $4)
            ON CONFLICT DO NOTHING
            """,
            tiers.map(\.id.event.uuid), tiers.map(\.id.name), tiers.map(\.1.capacity), tiers.map { $0.1.seats != nil })
    }

    /// Counts just the seats that are new; a tier sold by count takes none.
    private func insertSeats(_ tiers: [(id: TierID, StockEvent.Tier)]) -> Statement {
        let seats = tiers.flatMap { id, tier in
            (tier.seats ?? []).enumerated().map { (tier: id, name: $1, rank: (tier.firstRank ?? 0) + $0) }
        }
        return Statement(
            """
            WITH added AS (
                INSERT INTO seat (event_id, tier, name, rank)
                SELECT new.event_id, new.tier, new.name, new.rank
                FROM unnest($1, $2, $3, $4) AS new (event_id, tier, name, rank)
                JOIN tier ON tier.event_id = new.event_id AND tier.name = new.tier AND tier.is_seated
                ON CONFLICT DO NOTHING
                RETURNING event_id, tier
            )
            UPDATE tier SET stocked = stocked + part.size, version = version + 1
            FROM (SELECT event_id, tier, count(*) AS size FROM added GROUP BY event_id, tier) AS part
            WHERE tier.event_id = part.event_id AND tier.name = part.tier
            """,
            seats.map(\.tier.event.uuid), seats.map(\.tier.name), seats.map(\.name), seats.map(\.rank))
    }
}
