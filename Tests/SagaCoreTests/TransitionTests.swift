import Contracts
import SagaCore
import Testing
import WireJSON

/// The table of the design, line by line, and that nothing else moves a purchase.
@Suite struct `The purchase saga` {
    typealias Decision = Step<PurchaseState, PurchaseEffect>

    /// What the table says; nil where it says nothing, which means ignore.
    private static func table(_ state: PurchaseState, _ input: PurchaseInput) -> Decision? {
        switch (state, input) {
        case (.reserving, .reserved): .move(to: .charging, then: [.charge, .scheduleExpiry])
        case (.reserving, .reservationRefused(let reason, let available)):
            .move(to: .refused(.notReserved(reason, available: available)), then: [.announceRefused, .notify])
        case (.reserving, .cancelRequested):
            .move(to: .unwinding(.cancelled, outstanding: [.release]), then: [.release])
        case (.reserving, .attemptsUsedUp): .move(to: .unwinding(.timedOut, outstanding: [.release]), then: [.release])
        case (.charging, .captured): .move(to: .confirming, then: [.confirm, .cancelExpiry])
        case (.charging, .declined(let reason)):
            .move(to: .unwinding(.declined(reason), outstanding: [.release]), then: [.release, .cancelExpiry])
        case (.charging, .holdExpired): .move(to: .closing(.expired), then: [.closePayment])
        case (.charging, .cancelRequested): .move(to: .closing(.cancelled), then: [.closePayment])
        case (.closing(let reason), .closed), (.closing(let reason), .declined):
            .move(to: .unwinding(EndReason(reason), outstanding: [.release]), then: [.release])
        case (.closing(let reason), .attemptsUsedUp):
            .move(to: .unwinding(EndReason(reason), outstanding: [.release, .close]), then: [.release, .closePayment])
        case (.closing(.expired), .cancelRequested): .move(to: .closing(.cancelled), then: [])
        case (.closing(.expired), .captured): .move(to: .confirming, then: [.confirm])
        case (.closing(.cancelled), .captured):
            .move(to: .unwinding(.cancelled, outstanding: [.release, .refund]), then: [.release, .refund])
        case (.confirming, .confirmed): .move(to: .completed, then: [.announceCompleted, .notify])
        case (.confirming, .confirmRefused): .move(to: .unwinding(.seatsLost, outstanding: [.refund]), then: [.refund])
        case (.unwinding(let reason, [.release]), .released), (.unwinding(let reason, [.refund]), .refunded),
            (.unwinding(let reason, [.close]), .closed), (.unwinding(let reason, [.close]), .declined):
            reason == .refundRequested
                ? .move(to: .refunded, then: [.announceRefunded, .notify])
                : .move(to: .refused(reason), then: [.announceRefused, .notify])
        case (.unwinding(let reason, [.release, .refund]), .released):
            .move(to: .unwinding(reason, outstanding: [.refund]), then: [])
        case (.unwinding(let reason, [.release, .refund]), .refunded):
            .move(to: .unwinding(reason, outstanding: [.release]), then: [])
        case (.unwinding(let reason, [.release, .close]), .released):
            .move(to: .unwinding(reason, outstanding: [.close]), then: [])
        case (.unwinding(let reason, [.release, .close]), .closed),
            (.unwinding(let reason, [.release, .close]), .declined):
            .move(to: .unwinding(reason, outstanding: [.release]), then: [])
        case (.unwinding(.seatsLost, _), .captured), (.unwinding(.refundRequested, _), .captured): nil
        case (.unwinding(let reason, [.close]), .captured):
            .move(to: .unwinding(reason, outstanding: [.refund]), then: [.refund])
        case (.unwinding(let reason, [.release]), .captured), (.unwinding(let reason, [.release, .close]), .captured):
            .move(to: .unwinding(reason, outstanding: [.release, .refund]), then: [.refund])
        case (.refused(let reason), .captured): .move(to: .unwinding(reason, outstanding: [.refund]), then: [.refund])
        case (.completed, .refundRequested):
            .move(to: .unwinding(.refundRequested, outstanding: [.release, .refund]), then: [.release, .refund])
        case (.completed, .notified), (.refused, .notified), (.refunded, .notified): .stay(then: [])
        case (_, .stepTimedOut): .stay(then: effects(of: state))
        default: nil
        }
    }

    private static func effects(of state: PurchaseState) -> [PurchaseEffect] {
        switch state {
        case .reserving: [.reserve, .announceStarted]
        case .charging: [.charge, .scheduleExpiry]
        case .confirming: [.confirm]
        case .closing: [.closePayment]
        case .unwinding(_, let outstanding):
            (outstanding.contains(.release) ? [.release] : []) + (outstanding.contains(.refund) ? [.refund] : [])
                + (outstanding.contains(.close) ? [.closePayment] : [])
        case .completed: [.announceCompleted, .notify]
        case .refused: [.announceRefused, .notify]
        case .refunded: [.announceRefunded, .notify]
        }
    }

    @Test func `does what the table says for every state and every input`() {
        for (state, input) in Universe.pairs {
            let decision = PurchaseSaga.step(state, on: input)
            if let expected = Self.table(state, input) {
                #expect(decision == expected, "\(state) on \(input)")
            } else if case .ignore = decision {
                continue
            } else {
                Issue.record("\(state) must ignore \(input), but decides \(decision)")
            }
        }
    }

    @Test func `begins with a start and nothing else`() {
        for input in Universe.inputs {
            let decision = PurchaseSaga.step(nil, on: input)
            if input == .start {
                #expect(decision == .move(to: .reserving, then: [.reserve, .announceStarted]))
            } else {
                #expect(decision == .ignore(.impossible))
            }
        }
    }

    @Test func `never releases seats while the payment can still be captured`() {
        for (state, input) in Universe.pairs {
            guard case .move(_, let effects) = PurchaseSaga.step(state, on: input), effects.contains(.release) else {
                continue
            }
            switch (state, input) {
            case (.reserving, _), (.completed, .refundRequested): continue
            case (.charging, .declined): continue
            case (.closing, .closed), (.closing, .declined), (.closing, .captured), (.closing, .attemptsUsedUp):
                continue
            default: Issue.record("\(state) on \(input) releases seats that could still be paid for")
            }
        }
    }

    @Test func `refunds every capture that brings no tickets`() {
        for state in Universe.states {
            guard case .move(let next, let effects) = PurchaseSaga.step(state, on: .captured(chargeID: "ch_1")) else {
                continue
            }
            #expect(next == .confirming || effects.contains(.refund), "\(state)")
        }
    }

    @Test func `leaves an outcome only to give money back`() {
        for (state, input) in Universe.pairs where state.outcome != nil {
            guard case .move(_, let effects) = PurchaseSaga.step(state, on: input) else { continue }
            #expect(effects.contains(.refund), "\(state) on \(input)")
        }
    }

    @Test func `ends from every state when its answers come`() {
        for state in Universe.states {
            #expect(Self.ends(from: state), "\(state)")
        }
    }

    /// Follows the answers that a healthy fleet gives until there is an outcome.
    private static func ends(from state: PurchaseState) -> Bool {
        var state = state
        for _ in 0..<10 {
            let answer: PurchaseInput
            switch state {
            case .reserving: answer = Universe.inputs[1]
            case .charging: answer = .captured(chargeID: "ch_1")
            case .confirming: answer = .confirmed(tickets: [])
            case .closing: answer = .closed
            case .unwinding(_, let outstanding):
                answer =
                    outstanding.contains(.release) ? .released : outstanding.contains(.refund) ? .refunded : .closed
            case .completed, .refused, .refunded: return true
            }
            guard case .move(let next, _) = PurchaseSaga.step(state, on: answer) else { return false }
            state = next
        }
        return false
    }

    @Test func `reads its stored form back`() throws {
        for state in Universe.states {
            #expect(try WireFormat.decode(PurchaseState.self, from: WireFormat.encode(state)) == state)
        }
        for input in Universe.inputs {
            #expect(try WireFormat.decode(PurchaseInput.self, from: WireFormat.encode(input)) == input)
        }
        for effect in PurchaseEffect.allCases { #expect(PurchaseEffect(name: effect.name) == effect) }
    }
}
