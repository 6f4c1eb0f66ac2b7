import Contracts
import SagaCore
import Testing

/// Walks a purchase together with the provider that holds its money, along every order of events.
@Suite struct `The money of a purchase` {
    /// What the provider knows, also while the purchase has not heard of it.
    private enum Money { case untouched, asked, captured, refunding, refunded, none }

    private struct Moment: Hashable {
        let state: PurchaseState
        let money: Money
    }

    @Test func `is settled wherever a purchase ends`() {
        let moments = Self.reachable()
        #expect(moments.contains { $0.state == .unwinding(.expired, outstanding: [.close]) })
        for moment in moments {
            switch moment.state {
            case .completed: #expect(moment.money == .captured, "\(moment)")
            case .refused: #expect([.untouched, .refunded, .none].contains(moment.money), "\(moment)")
            case .refunded: #expect(moment.money == .refunded, "\(moment)")
            case .reserving, .charging, .confirming, .closing, .unwinding: continue
            }
        }
    }

    private static func reachable() -> Set<Moment> {
        let beginning = Moment(state: .reserving, money: .untouched)
        var seen: Set = [beginning]
        var open = [beginning]
        while let moment = open.popLast() {
            for input in Universe.inputs {
                guard let money = answer(input, when: moment.money),
                    case .move(let next, let effects) = PurchaseSaga.step(moment.state, on: input)
                else { continue }
                let reached = Moment(state: next, money: effects.reduce(money, ask))
                if seen.insert(reached).inserted { open.append(reached) }
            }
        }
        return seen
    }

    /// What the provider holds once it has given an answer; nil where it cannot give it.
    private static func answer(_ input: PurchaseInput, when money: Money) -> Money? {
        switch input {
        case .captured: [.asked, .captured].contains(money) ? .captured : nil
        case .declined, .closed: [.asked, .none].contains(money) ? Money.none : nil
        case .refunded: [.refunding, .refunded].contains(money) ? .refunded : nil
        case .start, .reserved, .reservationRefused, .confirmed, .confirmRefused, .released, .holdExpired,
            .cancelRequested, .refundRequested, .notified, .stepTimedOut, .attemptsUsedUp:
            money
        }
    }

    private static func ask(_ money: Money, _ effect: PurchaseEffect) -> Money {
        switch (effect, money) {
        case (.charge, .untouched): .asked
        case (.refund, .captured): .refunding
        default: money
        }
    }
}
