import Contracts
import Foundation
import SagaCore
import Testing

@testable import OrchestratorService
@testable import Purchases

/// Whoever asks to turn a purchase back or for the money is told yes only where it will be done.
@Suite struct `What a person asks of a purchase` {
    @Test func `is answered yes only if it will be done, from every state and whatever comes after`() {
        for state in Self.states {
            if let next = Self.answer(.cancelRequested, in: state, CancelRules.problem) {
                #expect(!Self.reachable(from: next).contains(.completed), "a cancel in \(state)")
            }
            if let next = Self.answer(.refundRequested, in: state, RefundRules.problem) {
                let ends = Self.reachable(from: next).filter { $0.outcome != nil }
                #expect(ends == [.refunded], "a refund in \(state)")
            }
        }
    }

    @Test func `is refused only where it is not done`() {
        for state in Self.states {
            let isTurnedBack = !Self.reachable(from: state).contains(.completed) && state.outcome == nil
            let problem = CancelRules.problem(in: state, of: .make())
            switch PurchaseSaga.step(state, on: .cancelRequested) {
            case .move, .stay: continue
            case .ignore:
                guard let problem else { continue }
                #expect(!isTurnedBack || problem.code == .alreadyPaid, "\(state): \(problem)")
            }
        }
    }

    @Test func `and comes while the hold's end closes the payment is kept`() {
        let next = PurchaseSaga.step(.closing(.expired), on: .cancelRequested)
        #expect(next == .move(to: .closing(.cancelled), then: []))
        #expect(
            PurchaseSaga.step(.closing(.cancelled), on: .captured(chargeID: "late"))
                == .move(to: .unwinding(.cancelled, outstanding: [.release, .refund]), then: [.release, .refund]))
        // The end of the hold, told once more, does not undo the wish.
        #expect(PurchaseSaga.step(.closing(.cancelled), on: .holdExpired) == .ignore(.late))
    }

    /// The state after the answer yes; nil for a refusal.
    private static func answer(
        _ input: PurchaseInput, in state: PurchaseState, _ rule: (PurchaseState, SagaID) -> Problem?
    ) -> PurchaseState? {
        switch PurchaseSaga.step(state, on: input) {
        case .move(let next, _): next
        case .stay: state
        case .ignore: rule(state, .make()) == nil ? state : nil
        }
    }

    /// Every state that anything that can happen leads to.
    private static func reachable(from state: PurchaseState) -> Set<PurchaseState> {
        var found: Set<PurchaseState> = [state]
        var left = [state]
        while let state = left.popLast() {
            for input in inputs {
                guard case .move(let next, _) = PurchaseSaga.step(state, on: input), found.insert(next).inserted
                else { continue }
                left.append(next)
            }
        }
        return found
    }

    /// All that a purchase can come to stand in.
    private static let states = reachable(from: .reserving).sorted { "\($0)" < "\($1)" }

    private static let inputs: [PurchaseInput] = [
        .start, .reserved(seats: [], deadline: Date(timeIntervalSince1970: 1_000)),
        .reservationRefused(reason: "sold-out", available: 0), .confirmed(tickets: []),
        .confirmRefused(reason: "no-hold"), .released,
        .captured(chargeID: "ch_1"), .declined(reason: "funds"), .closed, .refunded, .holdExpired, .cancelRequested,
        .refundRequested, .notified, .stepTimedOut, .attemptsUsedUp,
    ]
}
