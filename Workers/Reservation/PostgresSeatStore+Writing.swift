import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres

extension PostgresSeatStore {
    /// Everything goes out with the commit; each update must change just the rows that were decided.
    package func write(_ changes: StockChanges, in transaction: Transaction) {
        transaction.postpone(statements(for: changes))
    }

    /// What an error of these statements says, wherever it is thrown.
    package static func meaning(of error: PostgresError) -> any Error {
        if error.constraint == "hold_pkey" { return OptimisticLockFailure() }
        guard error.code == .unexpectedRowCount else { return error }
        return StockFault(what: "what was decided on has changed: \(error.operation)")
    }

    private func statements(for changes: StockChanges) -> [Statement] {
        var statements: [Statement] = []
        if !changes.tiers.isEmpty { statements.append(updateTiers(changes.tiers)) }
        if !changes.newHolds.isEmpty { statements.append(insertHolds(changes.newHolds)) }
        if !changes.seats.isEmpty { statements.append(updateSeats(changes.seats)) }
        // Before the new ones, because a seat that came free may be sold again in the same batch.
        if !changes.voidTickets.isEmpty { statements.append(voidTickets(changes.voidTickets)) }
        if !changes.newTickets.isEmpty { statements.append(insertTickets(changes.newTickets)) }
        return statements + updateHolds(changes.changedHolds)
    }

    private func updateTiers(_ tiers: [Tier]) -> Statement {
        Statement(
            """
            UPDATE tier SET held = new.held, sold = new.sold, version = tier.version + 1
            FROM unnest($1, $2, $3, $4, $5) AS new (event_id, name, version, held, sold)
            WHERE tier.event_id = new.event_id AND tier.name = new.name AND tier.version = new.version
            """,
            tiers.map(\.id.event.uuid), tiers.map(\.id.name), tiers.map(\.version), tiers.map(\.held),
            tiers.map(\.sold)
        ).touching(exactly: tiers.count)
    }

    private func insertHolds(_ holds: [Hold]) -> Statement {
        Statement(
            """
            INSERT INTO hold (saga_id, event_id, tier, quantity, seats, status, deadline)
            SELECT saga_id, event_id, tier, quantity, seats::text[], status, deadline
            FROM unnest($1, $2, $3, $4, $5, $6, $7)
                AS new (saga_id, event_id, tier, quantity, seats, status, deadline)
            """,
            holds.map(\.saga.uuid), holds.map(\.places?.tier.event.uuid), holds.map(\.places?.tier.name),
            holds.map { $0.places?.quantity ?? 0 }, holds.map { Self.arrayLiteral($0.places?.seats ?? []) },
            holds.map(\.status.rawValue), holds.map(\.places?.deadline))
    }

    /// A statement per status finds its rows by key under any plan; a join could come to read the whole table while
    /// its statistics are young.
    private func updateHolds(_ holds: [Hold]) -> [Statement] {
        Hold.Status.allCases.compactMap { status in
            let sagas = holds.filter { $0.status == status }.map(\.saga.uuid)
            guard !sagas.isEmpty else { return nil }
            return Statement("UPDATE hold SET status = $2 WHERE saga_id = ANY($1)", sagas, status.rawValue)
                .touching(exactly: sagas.count)
        }
    }

    private func updateSeats(_ moves: [StockChanges.SeatMove]) -> Statement {
        Statement(
            """
            UPDATE seat SET status = new.status, saga_id = new.saga_id
            FROM unnest($1, $2, $3, $4, $5, $6, $7)
                AS new (event_id, tier, name, old_status, old_saga_id, status, saga_id)
            WHERE seat.event_id = new.event_id AND seat.tier = new.tier AND seat.name = new.name
                AND seat.status = new.old_status AND seat.saga_id IS NOT DISTINCT FROM new.old_saga_id
            """,
            moves.map(\.tier.event.uuid), moves.map(\.tier.name), moves.map(\.name), moves.map(\.from.status),
            moves.map(\.from.saga?.uuid), moves.map(\.to.status), moves.map(\.to.saga?.uuid)
        ).touching(exactly: moves.count)
    }

    private func insertTickets(_ tickets: [StockChanges.NewTicket]) -> Statement {
        Statement(
            """
            INSERT INTO ticket (id, saga_id, event_id, tier, seat, user_id, status)
            SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7)
            """,
            tickets.map(\.ticket.id.uuid), tickets.map(\.saga.uuid), tickets.map(\.event.uuid),
            tickets.map(\.ticket.tier), tickets.map(\.ticket.seat), tickets.map(\.userID),
            tickets.map { $0.isValid ? "valid" : "void" })
    }

    private func voidTickets(_ ids: [TicketID]) -> Statement {
        Statement("UPDATE ticket SET status = 'void' WHERE id = ANY($1)", ids.map(\.uuid))
            .touching(exactly: ids.count)
    }

    /// One text for an array, because arrays of arrays must be rectangular: `{"A-1","A-2"}`.
    static func arrayLiteral(_ texts: [String]) -> String {
        let quoted = texts.map { text in
            "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
        }
        return "{" + quoted.joined(separator: ",") + "}"
    }
}

/// The columns `status` and `saga_id`.
extension Seat.State {
    init(status: String, saga: SagaID?) throws(StockFault) {
        switch (status, saga) {
        case ("free", nil): self = .free
        case ("held", let saga?): self = .held(by: saga)
        case ("sold", let saga?): self = .sold(to: saga)
        default: throw StockFault(what: "a seat is \(status), and its holder \(saga?.description ?? "nobody")")
        }
    }

    var status: String {
        switch self {
        case .free: "free"
        case .held: "held"
        case .sold: "sold"
        }
    }

    var saga: SagaID? {
        switch self {
        case .free: nil
        case .held(let saga), .sold(let saga): saga
        }
    }
}
