import Contracts
import FleetRuntime
import FoundationEssentials
import TestKit
import Testing

@testable import Payment

struct ChargeNewsTests {
    private func charge(_ state: Charge.State) -> Charge {
        Charge(
            sagaID: .make(), terms: Charge.Terms(amount: euros, method: "sim_ok"), state: state, owed: command(.charge))
    }

    @Test(arguments: states)
    func `a refund is answered with what went back`(_ state: Charge.State) {
        let news = ChargeNews(for: .refund, of: charge(state))
        switch state {
        case .refunded: #expect(news == .refunded(euros))
        case .declined, .closed: #expect(news == .refunded(Money(currency: "EUR", minor: 0)))
        case .open, .captured, .closing, .refunding: #expect(news == nil)
        }
    }

    @Test(arguments: states)
    func `a close is answered with what became of the payment`(_ state: Charge.State) {
        let news = ChargeNews(for: .close, of: charge(state))
        switch state {
        case .captured, .refunding, .refunded: #expect(news == .captured(id: "a", euros))
        case .declined: #expect(news == .declined(reason: "no"))
        case .closed: #expect(news == .closed)
        case .open, .closing: #expect(news == nil)
        }
    }

    @Test func `a reply echoes its command, and its id is the saga's alone`() throws {
        let charge = charge(.captured(id: "a"))
        let first = Charge.Command(operation: .charge, id: .make(), step: 2, traceparent: "t")
        let second = Charge.Command(operation: .close, id: .make(), step: 3, traceparent: nil)
        let one = try #require(try charge.reply(to: first, at: .distantPast)).envelope
        let two = try #require(try charge.reply(to: second, at: .distantPast)).envelope
        #expect(one.id == two.id)
        #expect((one.step, two.step) == (2, 3))
        #expect((one.causationID, two.causationID) == (first.id, second.id))
        #expect((one.traceparent, two.traceparent) == ("t", nil))
        #expect(one.sagaID == charge.sagaID)
    }

    @Test(arguments: states, [nil, "a"])
    func `a state and its columns say the same`(_ state: Charge.State, _ id: String?) {
        #expect(
            Charge.State(status: state.status, providerID: state.providerID, declineReason: state.declineReason)
                == state)
        if state.providerID == nil, id != nil {
            #expect(Charge.State(status: state.status, providerID: id, declineReason: state.declineReason) == nil)
        }
    }
}
