import Contracts
import FleetRuntime
import FoundationEssentials
import Testing

@testable import Reservation

@Suite struct OrderTests {
    private let tier = TierID(event: .make(), name: "floor")

    private func flaw(_ kind: MessageKind, _ body: String, saga: SagaID? = .make()) -> String? {
        flaw(Envelope(id: .make(), kind: kind, sagaID: saga, occurredAt: noon, body: Data(body.utf8)))
    }

    private func flaw(_ envelope: Envelope) -> String? {
        if case .unusable(let reason) = ReservationCommand(envelope) { reason } else { nil }
    }

    @Test(arguments: [MessageKind.reserve, .confirm, .stock])
    func `a body that cannot be read says so`(kind: MessageKind) {
        #expect(flaw(kind, "{}")?.hasPrefix("malformed-body: ") == true)
        #expect(flaw(kind, "not json")?.hasPrefix("malformed-body: ") == true)
    }

    @Test(arguments: MessageKind.allCases.filter { $0.owner != .reservation })
    func `a kind of somebody else is unexpected`(kind: MessageKind) {
        #expect(flaw(kind, "{}") == DeadLetterReason.unexpectedKind(kind))
    }

    @Test func `a command without a saga is unusable`() throws {
        #expect(flaw(try envelope(reserve(of: tier), of: nil))?.hasPrefix("missing-saga: ") == true)
        #expect(flaw(try envelope(ReleaseSeats(reason: "declined"), of: nil))?.hasPrefix("missing-saga: ") == true)
        #expect(flaw(try envelope(ReleaseSeats(reason: "declined"), of: .make())) == nil)
    }

    @Test(arguments: [0, -1, 11])
    func `a quantity beyond the limits is unusable`(quantity: Int) throws {
        #expect(
            flaw(try envelope(reserve(quantity, of: tier), of: .make()))?.hasPrefix("invalid-command: quantity") == true
        )
    }

    @Test func `seats must be different names, as many as the quantity`() throws {
        let twice = ReserveSeats(eventId: tier.event, tier: "a", quantity: 2, seats: ["A-1", "A-1"], holdSeconds: 60)
        let fewer = ReserveSeats(eventId: tier.event, tier: "a", quantity: 2, seats: ["A-1"], holdSeconds: 60)
        let good = ReserveSeats(eventId: tier.event, tier: "a", quantity: 2, seats: ["A-1", "A-2"], holdSeconds: 60)
        #expect(flaw(try envelope(twice, of: .make()))?.hasPrefix("invalid-command: seats") == true)
        #expect(flaw(try envelope(fewer, of: .make()))?.hasPrefix("invalid-command: seats") == true)
        #expect(flaw(try envelope(good, of: .make())) == nil)
    }

    @Test(arguments: ["", "a\u{0}b", String(repeating: "x", count: 201)])
    func `a text that PostgreSQL cannot hold, or nobody wants to read, is unusable`(name: String) throws {
        let command = reserve(of: TierID(event: tier.event, name: name))
        #expect(flaw(try envelope(command, of: .make()))?.hasPrefix("invalid-command: tier") == true)
        let stock = StockEvent(
            eventId: tier.event, tiers: [.init(name: name, capacity: 1, seats: nil, firstRank: nil)])
        #expect(flaw(try envelope(stock, of: nil))?.hasPrefix("invalid-command: name") == true)
    }

    @Test func `stock needs no saga and keeps to the limits`() throws {
        func stock(_ capacity: Int, _ firstRank: Int?) -> StockEvent {
            StockEvent(
                eventId: tier.event,
                tiers: [.init(name: "a", capacity: capacity, seats: ["A-1"], firstRank: firstRank)])
        }
        #expect(flaw(try envelope(stock(1, nil), of: nil)) == nil)
        #expect(flaw(try envelope(stock(0, nil), of: nil))?.hasPrefix("invalid-command: capacity") == true)
        #expect(flaw(try envelope(stock(1, -1), of: nil))?.hasPrefix("invalid-command: firstRank") == true)
    }
}
