import Chance
import Connections
import Contracts
import FoundationEssentials
import TestKit
import Testing

@testable import Reservation

@Suite struct BoxOfficeTests {
    @Test func `a reserve holds places until the deadline`() {
        let (stock, tier) = Stock.counted(10)
        var office = SeatAllocator(stock)
        let saga = SagaID.make()
        let deadline = noon.addingTimeInterval(60)
        #expect(
            office.reserve(reserve(3, of: tier, holdSeconds: 60), for: saga)
                == .reserved(SeatsReserved(seats: [], deadline: deadline)))
        let changes = office.changes
        #expect(changes.tiers.map(\.held) == [3])
        #expect(
            changes.newHolds == [
                Hold(
                    saga: saga, places: .init(tier: tier, quantity: 3, seats: [], deadline: deadline), status: .held)
            ])
        #expect(changes.changedHolds.isEmpty && changes.newTickets.isEmpty && changes.seats.isEmpty)
    }

    @Test func `the last places go to who asked first, and a smaller wish may still fit`() {
        let (stock, tier) = Stock.counted(5)
        var office = SeatAllocator(stock)
        #expect(office.reserve(reserve(4, of: tier), for: .make()).isReserved)
        #expect(office.reserve(reserve(2, of: tier), for: .make()) == refused(.soldOut, left: 1))
        #expect(office.reserve(reserve(1, of: tier), for: .make()).isReserved)
        #expect(office.reserve(reserve(1, of: tier), for: .make()) == refused(.soldOut, left: 0))
        #expect(office.changes.tiers.map(\.held) == [5])
        #expect(office.changes.newHolds.count == 2)
    }

    @Test func `places that a release gives back are there for the next command`() {
        let (stock, tier) = Stock.counted(1)
        var office = SeatAllocator(stock)
        let first = SagaID.make()
        #expect(office.reserve(reserve(of: tier), for: first).isReserved)
        #expect(office.release(first) == .released)
        #expect(office.reserve(reserve(of: tier), for: .make()).isReserved)
        #expect(office.changes.tiers.map(\.held) == [1])
        #expect(Set(office.changes.newHolds.map(\.status)) == [.released, .held])
    }

    @Test func `a tier that is not there is missing, not sold out`() {
        let (stock, tier) = Stock.counted(1)
        var office = SeatAllocator(stock)
        let other = TierID(event: tier.event, name: "other")
        #expect(office.reserve(reserve(of: other), for: .make()) == .missing(.unknownTier))
        #expect(office.changes.isEmpty)
    }

    @Test func `a confirm sells the hold and issues a ticket per place, past the deadline too`() {
        let (stock, tier) = Stock.seated(["A-1", "A-2", "A-3"])
        let saga = SagaID.make()
        var office = SeatAllocator(stock)
        #expect(office.reserve(reserve(2, of: tier), for: saga).isReserved)
        var later = stock.applying(office.changes)
        later.now = noon.addingTimeInterval(1_000_000)
        office = SeatAllocator(later)
        guard case .confirmed(let reply, let fact?) = office.confirm(ConfirmSeats(userId: "ada"), for: saga) else {
            Issue.record("the confirm was refused")
            return
        }
        #expect(reply.tickets.map(\.seat) == ["A-1", "A-2"])
        #expect(
            reply.tickets.map(\.id) == (0...1).map { TicketID(MessageID.derived(from: saga.uuid, "ticket.\($0)").uuid) }
        )
        #expect(fact == TicketIssued(sagaId: saga, eventId: tier.event, userId: "ada", tickets: reply.tickets))
        let changes = office.changes
        #expect(changes.tiers.map { [$0.held, $0.sold] } == [[0, 2]])
        #expect(changes.seats.map(\.to) == [.sold(to: saga), .sold(to: saga)])
        #expect(changes.newTickets.map(\.userID) == ["ada", "ada"] && changes.newTickets.allSatisfy(\.isValid))
        #expect(changes.changedHolds.map(\.status) == [.sold])
    }

    @Test func `a sale that is released in the same batch leaves void tickets and free seats`() {
        let (stock, tier) = Stock.seated(["A-1"])
        let saga = SagaID.make()
        var office = SeatAllocator(stock)
        _ = office.reserve(reserve(of: tier), for: saga)
        _ = office.confirm(ConfirmSeats(userId: "ada"), for: saga)
        #expect(office.release(saga) == .released)
        #expect(office.changes.newHolds.map(\.status) == [.void])
        #expect(office.changes.newTickets.map(\.isValid) == [false])
        #expect(office.changes.seats.isEmpty && office.changes.tiers.isEmpty)
    }

    @Test func `named seats are held all or none, and the reason tells why`() {
        let (stock, tier) = Stock.seated(["A-1", "A-2", "A-3"])
        var office = SeatAllocator(stock)
        #expect(office.reserve(reserve(of: tier, seats: ["A-3", "A-2"]), for: .make()).seats == ["A-3", "A-2"])
        #expect(office.reserve(reserve(of: tier, seats: ["A-1", "A-2"]), for: .make()) == refused(.seatsTaken))
        #expect(office.reserve(reserve(of: tier, seats: ["A-1", "Z-9"]), for: .make()) == refused(.unknownSeat))
        #expect(office.reserve(reserve(of: tier, seats: ["A-1"]), for: .make()).seats == ["A-1"])
        #expect(office.changes.tiers.map(\.held) == [3])
    }

    @Test func `a tier sold by count has no named seats`() {
        let (stock, tier) = Stock.counted(3)
        var office = SeatAllocator(stock)
        #expect(office.reserve(reserve(of: tier, seats: ["A-1"]), for: .make()) == refused(.unknownSeat))
    }

    @Test func `seats that have not arrived yet are missing, not refused`() {
        let (stock, tier) = Stock.seated(["A-1"], capacity: 3)
        var office = SeatAllocator(stock)
        #expect(office.reserve(reserve(of: tier, seats: ["A-2"]), for: .make()) == .missing(.unknownSeat))
        #expect(office.reserve(reserve(2, of: tier), for: .make()) == .missing(.soldOut))
        #expect(office.reserve(reserve(1, of: tier), for: .make()).seats == ["A-1"])
    }

    @Test func `the best available seats lie side by side`() {
        let (stock, tier) = Stock.seated(rows(2, of: 3))
        var office = SeatAllocator(stock)
        #expect(office.reserve(reserve(2, of: tier), for: .make()).seats == ["A-1", "A-2"])
        #expect(office.reserve(reserve(2, of: tier), for: .make()).seats == ["B-1", "B-2"])
        #expect(office.reserve(reserve(2, of: tier), for: .make()).seats == ["A-3", "B-3"])
        #expect(office.reserve(reserve(1, of: tier), for: .make()) == refused(.soldOut, left: 0))
    }

    @Test(arguments: 1...20)
    func `a batch is decided as if its commands had come one by one`(seed: UInt64) {
        var generator = SeededChance(seed: seed)
        var (stock, seated) = Stock.seated(rows(4, of: 6))
        let (counted, floor) = Stock.counted(15)
        stock.tiers.merge(counted.tiers) { first, _ in first }
        let sagas = (0..<25).map { _ in SagaID.make() }
        var office = SeatAllocator(stock)
        var single = stock
        for _ in 0..<200 {
            guard let saga = sagas.randomElement(using: &generator),
                let step = Step.allCases.randomElement(using: &generator)
            else { return }
            var alone = SeatAllocator(single)
            let wish = step.wish(of: [seated, floor], using: &generator)
            #expect(step.carryOut(wish, for: saga, at: &office) == step.carryOut(wish, for: saga, at: &alone))
            single = single.applying(alone.changes)
        }
        #expect(stock.applying(office.changes) == single)
    }

    private enum Step: CaseIterable {
        case some, named, confirm, release

        func wish(of tiers: [TierID], using generator: inout SeededChance) -> ReserveSeats {
            let tier = tiers[Int.random(in: 0..<tiers.count, using: &generator)]
            let seats = rows(4, of: 6).shuffled(using: &generator).prefix(2)
            return self == .named
                ? reserve(of: tier, seats: Array(seats))
                : reserve(Int.random(in: 1...4, using: &generator), of: tier)
        }

        func carryOut(_ wish: ReserveSeats, for saga: SagaID, at office: inout SeatAllocator) -> SeatAllocator.Answer {
            switch self {
            case .some, .named: office.reserve(wish, for: saga)
            case .confirm: office.confirm(ConfirmSeats(userId: "ada"), for: saga)
            case .release: office.release(saga)
            }
        }
    }
}

func refused(
    _ reason: SeatsRefused.Reason, _ command: SeatsRefused.Command = .reserve, left: Int? = nil
) -> SeatAllocator.Answer {
    .refused(SeatsRefused(command: command, reason: reason, available: left))
}

extension SeatAllocator.Answer {
    var isReserved: Bool { if case .reserved = self { true } else { false } }
    var seats: [String]? { if case .reserved(let reply) = self { reply.seats } else { nil } }
}
