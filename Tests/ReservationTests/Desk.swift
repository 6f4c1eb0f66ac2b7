import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Postgres
import TestKit

@testable import Reservation

/// The reservation worker on a real database, as a lane would call it.
struct Desk {
    let database: TestDatabase
    private let handler: IdempotentConsumer<ReservationWorker<PostgresSeatStore>, PostgresInboxStore>
    private let connection: PostgresConnection

    init(_ database: TestDatabase) {
        self.database = database
        connection = database.connection(as: .reservation)
        handler = IdempotentConsumer(
            ReservationWorker(ledger: PostgresSeatStore()),
            ledger: PostgresInboxStore(connection, meaning: PostgresSeatStore.meaning))
    }

    /// Decides a batch; what is transient is tried again, as in a lane.
    func send(_ batch: [Envelope]) async throws -> [Outcome] {
        while true {
            do {
                return try await handler.handle(batch)
            } catch let error as any RecoverableFailure where error.isTransient {
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    func send(_ command: some Message, of saga: SagaID?, id: MessageID = .make(), attempt: Int = 1) async throws
        -> Outcome
    {
        try await send([try envelope(command, of: saga, id: id, attempt: attempt)])[0]
    }

    /// Puts one new event on sale with one tier.
    func stock(_ capacity: Int, seats: [String]? = nil) async throws -> TierID {
        let tier = TierID(event: .make(), name: seats == nil ? "floor" : "stalls")
        let command = StockEvent(
            eventId: tier.event,
            tiers: [.init(name: tier.name, capacity: capacity, seats: seats, firstRank: nil)])
        let outcome = try await send(command, of: nil)
        precondition(outcome == .reply([]), "the stock was not taken")
        return tier
    }

    struct Counts: Equatable {
        var capacity = 0
        var held = 0
        var sold = 0
        var holds = 0
        var validTickets = 0
        var voidTickets = 0
    }

    /// The counts of a tier, and the places and tickets that must explain them.
    func counts(of tier: TierID) async throws -> Counts {
        let rows = try await connection.query(
            """
            SELECT capacity, held, sold,
                (SELECT coalesce(sum(quantity), 0)::bigint FROM hold
                    WHERE event_id = $1 AND tier = $2 AND status IN ('held', 'sold')),
                (SELECT count(*) FROM ticket WHERE event_id = $1 AND tier = $2 AND status = 'valid'),
                (SELECT count(*) FROM ticket WHERE event_id = $1 AND tier = $2 AND status = 'void')
            FROM tier WHERE event_id = $1 AND name = $2
            """,
            [tier.event.uuid, tier.name], as: (Int, Int, Int, Int, Int, Int).self)
        guard let row = rows.first else { return Counts() }
        return Counts(
            capacity: row.0, held: row.1, sold: row.2, holds: row.3, validTickets: row.4, voidTickets: row.5)
    }

    /// One number that a query answers with.
    func number(_ sql: String, _ parameters: [any PostgresEncodable] = []) async throws -> Int {
        try await connection.query(sql, parameters, as: Int.self)[0]
    }
}

func withDesk(_ body: (Desk) async throws -> Void) async throws {
    try await withTestDatabase([(.reservation, ReservationService.migrations)]) { database in
        try await body(Desk(database))
    }
}

extension Outcome {
    /// The payload of the reply of this type, if there is one.
    func reply<Payload: Message>(_ type: Payload.Type) throws -> Payload? {
        guard case .reply(let messages) = self else { return nil }
        return try messages.first { $0.envelope.kind == Payload.kind }?.envelope.decode(type)
    }

    func refusal() throws -> SeatsRefused.Reason? { try reply(SeatsRefused.self)?.reason }

    func seats() throws -> [String]? { try reply(SeatsReserved.self)?.seats }
}
