import Contracts
import Testing

@testable import Reservation

/// Every command against every state a saga's hold can be in.
@Suite struct HoldTableTests {
    enum Past: CaseIterable { case nothing, tombstone, held, sold, released, void }

    struct Expectation {
        let answer: String
        /// The counts of the tier afterwards, and the hold's status; nil where there is no hold.
        let held: Int
        let sold: Int
        let status: Hold.Status?
    }

    private func stock(after past: Past, saga: SagaID) -> (Stock, TierID) {
        var (stock, tier) = Stock.counted(10)
        let places = Hold.Places(tier: tier, quantity: 2, seats: [], deadline: noon)
        switch past {
        case .nothing: break
        case .tombstone: stock.holds[saga] = Hold(saga: saga, places: nil, status: .released)
        case .held:
            stock.holds[saga] = Hold(saga: saga, places: places, status: .held)
            stock.tiers[tier]?.held = 2
        case .sold:
            stock.holds[saga] = Hold(saga: saga, places: places, status: .sold)
            stock.tiers[tier]?.sold = 2
        case .released: stock.holds[saga] = Hold(saga: saga, places: places, status: .released)
        case .void: stock.holds[saga] = Hold(saga: saga, places: places, status: .void)
        }
        return (stock, tier)
    }

    private func check(
        _ expected: Expectation, after past: Past, _ act: (inout SeatAllocator, TierID, SagaID) -> SeatAllocator.Answer
    ) {
        let saga = SagaID.make()
        let (stock, tier) = stock(after: past, saga: saga)
        var office = SeatAllocator(stock)
        let answer = act(&office, tier, saga)
        let end = stock.applying(office.changes)
        #expect(answer.word == expected.answer)
        #expect(end.tiers[tier]?.held == expected.held)
        #expect(end.tiers[tier]?.sold == expected.sold)
        #expect(end.holds[saga]?.status == expected.status)
        let issues = past == .held && expected.status == .sold
        #expect(office.changes.newTickets.count == (issues ? 2 : 0))
        #expect(office.changes.voidTickets.count == (past == .sold && expected.status == .void ? 2 : 0))
    }

    @Test(arguments: Past.allCases)
    func `a reserve holds once, and never after a release`(past: Past) {
        let expected: Expectation
        switch past {
        case .nothing: expected = .init(answer: "reserved", held: 2, sold: 0, status: .held)
        case .tombstone: expected = .init(answer: "refused released", held: 0, sold: 0, status: .released)
        case .held: expected = .init(answer: "reserved", held: 2, sold: 0, status: .held)
        case .sold: expected = .init(answer: "reserved", held: 0, sold: 2, status: .sold)
        case .released: expected = .init(answer: "refused released", held: 0, sold: 0, status: .released)
        case .void: expected = .init(answer: "refused released", held: 0, sold: 0, status: .void)
        }
        check(expected, after: past) { office, tier, saga in office.reserve(reserve(2, of: tier), for: saga) }
    }

    @Test(arguments: Past.allCases)
    func `a confirm sells once, and only what is held`(past: Past) {
        let expected: Expectation
        switch past {
        case .nothing: expected = .init(answer: "refused no-hold", held: 0, sold: 0, status: nil)
        case .tombstone: expected = .init(answer: "refused no-hold", held: 0, sold: 0, status: .released)
        case .held: expected = .init(answer: "confirmed 2, issued", held: 0, sold: 2, status: .sold)
        case .sold: expected = .init(answer: "confirmed 2", held: 0, sold: 2, status: .sold)
        case .released: expected = .init(answer: "refused no-hold", held: 0, sold: 0, status: .released)
        case .void: expected = .init(answer: "refused no-hold", held: 0, sold: 0, status: .void)
        }
        check(expected, after: past) { office, _, saga in office.confirm(ConfirmSeats(userId: "ada"), for: saga) }
    }

    @Test(arguments: Past.allCases)
    func `a release gives back once, whatever there was`(past: Past) {
        let expected: Expectation
        switch past {
        case .nothing, .tombstone, .held, .released:
            expected = .init(answer: "released", held: 0, sold: 0, status: .released)
        case .sold, .void: expected = .init(answer: "released", held: 0, sold: 0, status: .void)
        }
        check(expected, after: past) { office, _, saga in office.release(saga) }
    }
}

extension SeatAllocator.Answer {
    fileprivate var word: String {
        switch self {
        case .reserved: "reserved"
        case .refused(let reply): "refused \(reply.reason.rawValue)"
        case .missing(let reason): "missing \(reason.rawValue)"
        case .confirmed(let reply, nil): "confirmed \(reply.tickets.count)"
        case .confirmed(let reply, _?): "confirmed \(reply.tickets.count), issued"
        case .released: "released"
        }
    }
}
