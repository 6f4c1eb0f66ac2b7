import Contracts
import SagaCore

/// `PurchaseSaga` with one rule written wrongly; the rest is the real one.
protocol PurchaseVariant: PurchaseDefinition {
    typealias Decision = Step<PurchaseState, PurchaseEffect>
    /// The wrong decision, where it differs.
    static func mistake(_ state: PurchaseState, on input: PurchaseInput) -> Decision?
}

extension PurchaseVariant {
    static var kind: String { PurchaseSaga.kind }
    static var noFacts: PurchaseFacts { PurchaseSaga.noFacts }
    static var overdue: PurchaseInput { PurchaseSaga.overdue }
    static var lessons: [String] { PurchaseSaga.lessons }

    static func step(_ state: PurchaseState?, on input: PurchaseInput) -> Step<PurchaseState, PurchaseEffect> {
        state.flatMap { mistake($0, on: input) } ?? PurchaseSaga.step(state, on: input)
    }

    static func learn(_ input: PurchaseInput, into facts: inout PurchaseFacts) {
        PurchaseSaga.learn(input, into: &facts)
    }

    static func patience(in state: PurchaseState, knowing facts: PurchaseFacts) -> TimeoutPolicy<PurchaseInput> {
        PurchaseSaga.patience(in: state, knowing: facts)
    }

    static func input(from envelope: Envelope) throws -> PurchaseInput? {
        try PurchaseSaga.input(from: envelope)
    }

    static func messages(for effect: PurchaseEffect, of saga: SagaView<Self>) throws -> [OutgoingMessage] {
        try PurchaseSaga.messages(
            for: effect,
            of: SagaView(
                id: saga.id, state: saga.state, step: saga.step, request: saga.request, facts: saga.facts,
                causationID: saga.causationID, traceparent: saga.traceparent, now: saga.now,
                attempts: saga.attempts, stepTimeout: saga.stepTimeout))
    }
}

/// Gives seats back when the hold runs out, without closing the payment first.
enum ReleasingBeforeClosing: PurchaseVariant {
    static func mistake(_ state: PurchaseState, on input: PurchaseInput) -> Decision? {
        guard case (.charging, .holdExpired) = (state, input) else { return nil }
        return .move(to: .unwinding(.expired, outstanding: [.release]), then: [.release])
    }
}

/// Ignores money that arrives after the purchase was given up.
enum LosingLateCaptures: PurchaseVariant {
    static func mistake(_ state: PurchaseState, on input: PurchaseInput) -> Decision? {
        switch (state, input) {
        case (.unwinding, .captured), (.refused, .captured): .ignore(.late)
        default: nil
        }
    }
}

/// Gives up when the hold runs out, whatever has happened since.
enum ExpiringWithoutALook: PurchaseVariant {
    static func mistake(_ state: PurchaseState, on input: PurchaseInput) -> Decision? {
        guard case (.confirming, .holdExpired) = (state, input) else { return nil }
        return .move(to: .unwinding(.expired, outstanding: [.release]), then: [.release])
    }
}

/// Forgets the refund when a cancelled purchase turns out to be paid.
enum CancellingWithoutRefund: PurchaseVariant {
    static func mistake(_ state: PurchaseState, on input: PurchaseInput) -> Decision? {
        guard case (.closing(.cancelled), .captured) = (state, input) else { return nil }
        return .move(to: .unwinding(.cancelled, outstanding: [.release]), then: [.release])
    }
}

/// Ends while the provider has not said what became of the money.
enum GivingUpTheMoney: PurchaseVariant {
    static func mistake(_ state: PurchaseState, on input: PurchaseInput) -> Decision? {
        guard case (.closing(let reason), .attemptsUsedUp) = (state, input) else { return nil }
        return .move(to: .unwinding(EndReason(reason), outstanding: [.release]), then: [.release])
    }
}

/// Lets a refunded buyer keep the tickets.
enum RefundingWithoutRelease: PurchaseVariant {
    static func mistake(_ state: PurchaseState, on input: PurchaseInput) -> Decision? {
        guard case (.completed, .refundRequested) = (state, input) else { return nil }
        return .move(to: .unwinding(.refundRequested, outstanding: [.refund]), then: [.refund])
    }
}

/// Takes a cancel that comes while the hold's end closes the payment for one that came too late.
enum ForgettingCancelsWhileClosing: PurchaseVariant {
    static func mistake(_ state: PurchaseState, on input: PurchaseInput) -> Decision? {
        guard case (.closing(.expired), .cancelRequested) = (state, input) else { return nil }
        return .ignore(.late)
    }
}
