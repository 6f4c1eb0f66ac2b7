import Contracts
import FleetRuntime
import TestKit
import Testing

@testable import Reservation

@Suite(.enabled(if: TestServers.haveDatabase), .timeLimit(.minutes(2)))
struct SeatTests {
    @Test func `named seats are all or nothing`() async throws {
        try await withDesk { desk in
            let tier = try await desk.stock(4, seats: rows(1, of: 4))
            #expect(
                try await desk.send(reserve(of: tier, seats: ["A-2", "A-3"]), of: .make()).seats() == ["A-2", "A-3"])
            #expect(
                try await desk.send(reserve(of: tier, seats: ["A-1", "A-2"]), of: .make()).refusal() == .seatsTaken)
            #expect(
                try await desk.send(reserve(of: tier, seats: ["A-1", "B-1"]), of: .make()).refusal() == .unknownSeat)
            #expect(try await desk.counts(of: tier).held == 2)
            #expect(try await desk.number("SELECT count(*) FROM seat WHERE status = 'held'") == 2)
        }
    }

    @Test func `the best available seats are adjacent, and seats that come free are found in the same batch`()
        async throws
    {
        try await withDesk { desk in
            let tier = try await desk.stock(6, seats: rows(2, of: 3))
            let first = SagaID.make()
            let outcomes = try await desk.send([
                try envelope(reserve(2, of: tier), of: first),
                try envelope(reserve(2, of: tier), of: .make()),
                try envelope(ReleaseSeats(reason: "declined"), of: first),
                try envelope(reserve(3, of: tier), of: .make()),
                try envelope(reserve(of: tier, seats: ["B-3"]), of: .make()),
            ])
            #expect(try outcomes[0].seats() == ["A-1", "A-2"])
            #expect(try outcomes[1].seats() == ["B-1", "B-2"])
            #expect(try outcomes[3].seats() == ["A-1", "A-2", "A-3"])
            #expect(try outcomes[4].seats() == ["B-3"])
            #expect(try await desk.send(reserve(1, of: tier), of: .make()).refusal() == .soldOut)
        }
    }

    @Test func `seats that an earlier batch sold are sold again in the batch that voids them`() async throws {
        try await withDesk { desk in
            let tier = try await desk.stock(3, seats: rows(1, of: 3))
            let (sold, next) = (SagaID.make(), SagaID.make())
            _ = try await desk.send(reserve(3, of: tier), of: sold)
            _ = try await desk.send(ConfirmSeats(userId: "ada"), of: sold)
            let outcomes = try await desk.send([
                try envelope(reserve(2, of: tier), of: .make()),
                try envelope(ReleaseSeats(reason: "refund"), of: sold),
                try envelope(reserve(2, of: tier), of: next),
                try envelope(ConfirmSeats(userId: "bob"), of: next),
            ])
            #expect(try outcomes[0].refusal() == .soldOut)
            #expect(try outcomes[2].seats() == ["A-1", "A-2"])
            #expect(try outcomes[3].reply(SeatsConfirmed.self)?.tickets.count == 2)
            #expect(
                try await desk.counts(of: tier)
                    == .init(capacity: 3, sold: 2, holds: 2, validTickets: 2, voidTickets: 3))
        }
    }

    @Test func `stock comes in parts, and a repeat adds nothing`() async throws {
        try await withDesk { desk in
            let tier = TierID(event: .make(), name: "stalls")
            let all = rows(4, of: 5)
            func part(_ range: Range<Int>, capacity: Int = 20) throws -> Envelope {
                try envelope(
                    StockEvent(
                        eventId: tier.event,
                        tiers: [
                            .init(
                                name: tier.name, capacity: capacity, seats: Array(all[range]),
                                firstRank: range.lowerBound)
                        ]), of: nil)
            }
            #expect(try await desk.send([part(10..<20)]) == [.reply([])])
            guard case .retry = try await desk.send(reserve(of: tier, seats: ["A-1"]), of: .make()) else {
                Issue.record("a seat under way was refused")
                return
            }
            #expect(try await desk.send([part(0..<10), part(10..<20, capacity: 99)]) == [.reply([]), .reply([])])
            #expect(try await desk.send(reserve(of: tier, seats: ["Z-1"]), of: .make()).refusal() == .unknownSeat)
            #expect(try await desk.send(reserve(5, of: tier), of: .make()).seats() == Array(all[0..<5]))
            #expect(try await desk.counts(of: tier) == .init(capacity: 20, held: 5, holds: 5))
            #expect(try await desk.number("SELECT stocked FROM tier") == 20)
            #expect(try await desk.number("SELECT count(*) FROM seat") == 20)
        }
    }

    @Test func `names with quotes, commas and backslashes come back as they were`() async throws {
        try await withDesk { desk in
            let names = ["A \"1\"", "A,2", "A\\3", "{A}4", "NULL", " é "]
            let tier = try await desk.stock(6, seats: names)
            let saga = SagaID.make()
            #expect(try await desk.send(reserve(of: tier, seats: names), of: saga).seats() == names)
            let tickets = try await desk.send(ConfirmSeats(userId: "ada"), of: saga).reply(SeatsConfirmed.self)?.tickets
            #expect(tickets?.map(\.seat) == names)
        }
    }
}
