import Contracts
import FoundationEssentials
import SagaCore
import Testing

/// How effects become messages.
@Suite struct `A saga's messages` {
    private static func view(
        _ state: PurchaseState, step: Int = 3, replyTo: String? = nil, deadlineIn seconds: Double = 900,
        after attempts: Int = 0, causedBy cause: MessageID? = nil, isHeld: Bool = true
    ) -> SagaView<PurchaseSaga> {
        let now = Date(timeIntervalSince1970: 1_900_000_000)
        var facts = PurchaseFacts()
        facts.deadline = isHeld ? now.addingTimeInterval(seconds) : nil
        facts.tickets = [Universe.ticket]
        let request = PurchaseRequest(
            userId: "ada", eventId: event, tier: "Floor", quantity: 1, seats: nil,
            amount: Money(currency: "EUR", minor: 4_500), paymentMethod: "sim_ok", email: "ada@example.com",
            holdSeconds: 900, replyTo: replyTo, correlationID: "order-1")
        return SagaView(
            id: saga, state: state, step: step, request: request, facts: facts, causationID: cause, traceparent: nil,
            now: now, attempts: attempts, stepTimeout: 30)
    }

    private static let saga = SagaID.make()
    private static let event = EventID.make()

    @Test func `keep their ids when they are sent again, and differ by step and kind`() throws {
        let once = try PurchaseSaga.messages(for: .reserve, of: Self.view(.reserving))
        let again = try PurchaseSaga.messages(for: .reserve, of: Self.view(.reserving))
        let later = try PurchaseSaga.messages(for: .reserve, of: Self.view(.reserving, step: 4))
        let other = try PurchaseSaga.messages(for: .release, of: Self.view(.reserving))
        #expect(once.map(\.envelope.id) == again.map(\.envelope.id))
        #expect(Set((once + later + other).map(\.envelope.id)).count == 3)
    }

    @Test func `carry their saga and its step`() throws {
        for effect in PurchaseEffect.allCases where effect != .announceStarted {
            for message in try PurchaseSaga.messages(for: effect, of: Self.view(.completed, replyTo: "answers")) {
                #expect(message.envelope.sagaID == Self.saga)
                #expect(message.envelope.step == 3)
            }
        }
    }

    @Test func `answer the upstream system that asked, and only if it asked`() throws {
        let asked = try PurchaseSaga.messages(for: .announceCompleted, of: Self.view(.completed, replyTo: "answers"))
        #expect(asked.map(\.destination) == [.listeners, .upstream(queue: "answers")])
        #expect(asked[1].envelope.correlationID == "order-1")
        let silent = try PurchaseSaga.messages(for: .announceCompleted, of: Self.view(.completed))
        #expect(silent.map(\.destination) == [.listeners])
    }

    @Test func `tell of the start once more as long as it may have been lost, under the id it had`() throws {
        let first = try PurchaseSaga.messages(
            for: .announceStarted, of: Self.view(.reserving, step: 1, replyTo: "answers", causedBy: .make()))
        let repeated = try PurchaseSaga.messages(
            for: .announceStarted, of: Self.view(.reserving, step: 1, replyTo: "answers", after: 1))
        let cancelled = try PurchaseSaga.messages(
            for: .release, of: Self.view(.unwinding(.cancelled, outstanding: [.release]), step: 2, isHeld: false))
        let released = try PurchaseSaga.messages(
            for: .release, of: Self.view(.unwinding(.cancelled, outstanding: [.release]), step: 4))
        #expect(first.map(\.destination) == [.listeners, .upstream(queue: "answers")])
        #expect(repeated.map(\.destination) == [.listeners], "whoever asked by message was told before it was settled")
        #expect(cancelled.map(\.destination) == [.listeners, .owner])
        #expect(released.map(\.destination) == [.owner])
        #expect(Set([first[0], repeated[0], cancelled[0]].map(\.envelope.id)).count == 1)
    }

    @Test func `tell an outcome again while the buyer's notification is overdue, and not for ever`() throws {
        for (attempts, count) in [(1, 1), (2, 1), (3, 0)] {
            let view = Self.view(.completed, after: attempts)
            #expect(try PurchaseSaga.messages(for: .announceCompleted, of: view).count == count)
        }
    }

    @Test func `ask for a timer, and for its end, where the payment is slow or the hold is short`() throws {
        for effect in [PurchaseEffect.scheduleExpiry, .cancelExpiry] {
            for (deadline, attempts, count) in [(900, 0, 0), (60, 0, 0), (59, 0, 1), (-1, 0, 1), (900, 1, 1)] {
                let view = Self.view(.charging, deadlineIn: Double(deadline), after: attempts)
                #expect(try PurchaseSaga.messages(for: effect, of: view).count == count)
            }
        }
    }

    @Test func `are in the order of their sagas' birth`() {
        var generator = SystemRandomNumberGenerator()
        let early = SagaID.make(at: 1_000, using: &generator)
        let late = SagaID.make(at: 2_000, using: &generator)
        #expect(early < late)
        let kinds = MessageKind.allCases
        for kind in kinds {
            let first = MessageID.derived(from: early, step: 9, kind: kind)
            let second = MessageID.derived(from: late, step: 1, kind: kind)
            #expect(first < second)
        }
    }
}
