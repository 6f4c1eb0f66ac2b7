import Chance
import Connections
import Contracts
import FleetRuntime
import Postgres
import TestKit
import Testing

@testable import Reservation

/// What must hold whatever happens: in the end the database says no.
@Suite(.enabled(if: TestServers.haveDatabase), .timeLimit(.minutes(3)))
struct StockTruthTests {
    @Test func `200 reserves for 10 places on four connections sell exactly 10`() async throws {
        try await withDesk { desk in
            let tier = try await desk.stock(10)
            let seated = try await desk.stock(10, seats: rows(1, of: 10))
            let reserved = try await withThrowingTaskGroup(of: [String: Int].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        let own = Desk(desk.database)
                        var reserved: [String: Int] = [:]
                        for _ in 0..<10 {
                            let batch = try (0..<10).map { number in
                                try envelope(reserve(of: number.isMultiple(of: 2) ? tier : seated), of: .make())
                            }
                            for (number, outcome) in try await own.send(batch).enumerated()
                            where try outcome.seats() != nil {
                                reserved[number.isMultiple(of: 2) ? "counted" : "seated", default: 0] += 1
                            }
                        }
                        return reserved
                    }
                }
                return try await group.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
            }
            #expect(reserved == ["counted": 10, "seated": 10])
            #expect(try await desk.counts(of: tier) == .init(capacity: 10, held: 10, holds: 10))
            #expect(try await desk.counts(of: seated) == .init(capacity: 10, held: 10, holds: 10))
        }
    }

    @Test func `the same messages on four connections at once have one effect`() async throws {
        try await withDesk { desk in
            let tier = try await desk.stock(1_000)
            let sagas = (0..<50).map { _ in SagaID.make() }
            let reserves = try sagas.map { try envelope(reserve(of: tier), of: $0) }
            let releases = try sagas.prefix(25).map { try envelope(ReleaseSeats(reason: "declined"), of: $0) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<4 {
                    group.addTask {
                        let own = Desk(desk.database)
                        let batch = number.isMultiple(of: 2) ? reserves + releases : releases.reversed() + reserves
                        _ = try await own.send(batch)
                        _ = try await own.send(batch.reversed())
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await desk.counts(of: tier) == .init(capacity: 1_000, held: 25, holds: 25))
            #expect(try await desk.number("SELECT count(*) FROM inbox WHERE replies <> ''") == 75)
        }
    }

    @Test(arguments: [
        ("tier_is_not_oversold", "UPDATE tier SET held = capacity + 1"),
        ("tier_is_not_oversold", "UPDATE tier SET sold = -1"),
        ("hold_status_is_known", "UPDATE hold SET status = 'lost'"),
        ("hold_has_places_or_is_a_tombstone", "UPDATE hold SET quantity = 0, seats = '{}'"),
        ("seat_has_a_holder_unless_free", "UPDATE seat SET saga_id = NULL"),
        ("seat_pkey", "INSERT INTO seat SELECT * FROM seat"),
        (
            "ticket_seat_is_sold_once",
            "INSERT INTO ticket SELECT gen_random_uuid(), saga_id, event_id, tier, seat, user_id, status FROM ticket"
        ),
    ])
    func `the schema refuses what must never be`(constraint: String, sql: String) async throws {
        try await withDesk { desk in
            let tier = try await desk.stock(1, seats: ["A-1"])
            let saga = SagaID.make()
            _ = try await desk.send(reserve(of: tier), of: saga)
            _ = try await desk.send(ConfirmSeats(userId: "ada"), of: saga)
            let owner = desk.database.owner()
            let error = await #expect(throws: PostgresError.self) {
                _ = try await owner.execute(sql.replacing(tables, with: { "reservation.\($0.output)" }))
            }
            #expect(error?.constraint == constraint)
            await owner.close()
        }
    }

    private var tables: Regex<Substring> { /\b(?:tier|hold|seat|ticket)\b(?= SET| SELECT|$)/ }

    @Test(arguments: [1, 2, 3])
    func `after random mixed batches the counts equal the holds and tickets`(seed: UInt64) async throws {
        try await withDesk { desk in
            var story = RandomStory(seed: seed)
            story.tiers = [
                try await desk.stock(60), try await desk.stock(40, seats: rows(4, of: 10)), try await desk.stock(200),
            ]
            var commands: [Envelope] = []
            for _ in 0..<2_000 { commands.append(try story.next()) }
            while !commands.isEmpty {
                let batch = Array(commands.prefix(Int.random(in: 1...120, using: &story.generator)))
                commands.removeFirst(batch.count)
                let outcomes = try await desk.send(batch)
                #expect(outcomes.allSatisfy { if case .reply = $0 { true } else { false } })
            }
            for tier in story.tiers {
                let counts = try await desk.counts(of: tier)
                #expect(counts.held + counts.sold == counts.holds && counts.sold == counts.validTickets)
                #expect(counts.held + counts.sold <= counts.capacity)
            }
            let seats = try await desk.number("SELECT count(*) FROM seat WHERE status <> 'free'")
            let seated = try await desk.counts(of: story.tiers[1])
            #expect(seats == seated.held + seated.sold && seats > 0)
            #expect(
                try await desk.number(
                    """
                    SELECT count(*) FROM seat LEFT JOIN hold
                        ON hold.saga_id = seat.saga_id AND hold.status = seat.status AND seat.name = ANY(hold.seats)
                    WHERE seat.status <> 'free' AND hold.saga_id IS NULL
                    """) == 0)
        }
    }

    @Test func `the role of the worker can do no more than its work`() async throws {
        try await withTestDatabase([(.reservation, ReservationService.migrations)]) { database in
            let owner = database.owner()
            try await owner.script("CREATE SCHEMA payment; CREATE TABLE payment.charge (id int)")
            let worker = database.connection(as: .reservation)
            for sql in [
                "SELECT id FROM payment.charge", "DROP TABLE ticket", "TRUNCATE hold", "DELETE FROM ticket",
                "UPDATE tier SET capacity = 1000000", "UPDATE hold SET quantity = 1", "UPDATE inbox SET replies = ''",
                "CREATE TABLE reservation.mine (id int)", "UPDATE reservation.migration SET checksum = ''",
            ] {
                let error = await #expect(throws: PostgresError.self, "\(sql)") { _ = try await worker.execute(sql) }
                #expect([.insufficientPrivilege, .other].contains(error?.code), "\(sql): \(String(describing: error))")
            }
            let reader = database.connection(as: .orchestrator)
            for view in ["availability", "seat_map", "ticket_list"] {
                _ = try await reader.execute("SELECT * FROM reservation.\(view)")
                await #expect(throws: PostgresError.self) {
                    _ = try await reader.execute("DELETE FROM reservation.\(view)")
                }
            }
            await #expect(throws: PostgresError.self) { _ = try await reader.execute("SELECT * FROM reservation.hold") }
        }
    }
}

/// Endless commands of few sagas, so that they meet in every state and order.
struct RandomStory {
    var generator: SeededChance
    var tiers: [TierID] = []
    private let sagas = (0..<400).map { _ in SagaID.make() }

    init(seed: UInt64) { generator = SeededChance(seed: seed) }

    mutating func next() throws -> Envelope {
        let saga = sagas[Int.random(in: 0..<sagas.count, using: &generator)]
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<5: return try envelope(reserve(Int.random(in: 1...4, using: &generator), of: tier()), of: saga)
        case 5:
            let seats = Array(rows(4, of: 10).shuffled(using: &generator).prefix(2))
            return try envelope(reserve(of: tiers[1], seats: seats), of: saga)
        case 6, 7: return try envelope(ConfirmSeats(userId: "ada"), of: saga)
        default: return try envelope(ReleaseSeats(reason: "declined"), of: saga)
        }
    }

    private mutating func tier() -> TierID { tiers[Int.random(in: 0..<tiers.count, using: &generator)] }
}
