import Contracts
import FoundationEssentials
import SagaCore

/// The transition function over a whole purchase, and the messages that carry it out.
enum Steps {
    private static let ticket = IssuedTicket(id: TicketID.make(), tier: "Floor", seat: nil)

    private static let inputs: [PurchaseInput] = [
        .start, .reserved(seats: [], deadline: Date(timeIntervalSince1970: 2_000_000_000)),
        .captured(chargeID: "sim_0199aaaa-0000-7000-8000-000000000000"), .confirmed(tickets: [ticket, ticket]),
        .notified,
    ]

    /// One repetition is the five steps of a purchase that goes well.
    static func run(_ count: Int) throws {
        for _ in 0..<count {
            var state: PurchaseState?
            var effects = 0
            var facts = PurchaseSaga.noFacts
            for input in inputs {
                switch PurchaseSaga.step(state, on: input) {
                case .move(let next, let then):
                    state = next
                    effects += then.count
                case .stay(let then): effects += then.count
                case .ignore: throw WentWrong()
                }
                PurchaseSaga.learn(input, into: &facts)
            }
            guard state == .completed, effects == 8, facts.tickets.count == 2 else { throw WentWrong() }
        }
    }

    /// One repetition is all messages of a purchase that goes well.
    static func write(_ count: Int) throws {
        var facts = PurchaseSaga.noFacts
        for input in inputs { PurchaseSaga.learn(input, into: &facts) }
        let saga = SagaView<PurchaseSaga>(
            id: SagaID.make(), state: .completed, step: 4, request: request, facts: facts,
            causationID: MessageID.make(), traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            now: Date(timeIntervalSince1970: 1_900_000_000), attempts: 1, stepTimeout: 30)
        let effects: [PurchaseEffect] = [
            .announceStarted, .reserve, .charge, .scheduleExpiry, .confirm, .cancelExpiry, .announceCompleted, .notify,
        ]
        for _ in 0..<count {
            var messages = 0
            for effect in effects { messages += try PurchaseSaga.messages(for: effect, of: saga).count }
            guard messages == effects.count else { throw WentWrong() }
        }
    }

    private static let request = PurchaseRequest(
        userId: "ada", eventId: EventID.make(), tier: "Floor", quantity: 2, seats: nil,
        amount: Money(currency: "EUR", minor: 2_000), paymentMethod: "sim_ok", email: "ada@example.com",
        holdSeconds: 900, replyTo: nil, correlationID: nil)
}
