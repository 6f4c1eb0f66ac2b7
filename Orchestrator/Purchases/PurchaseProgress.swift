import Contracts
import Engine
import FoundationEssentials
import SagaCore

/// Moves purchases on, and tells those in this process who wait for them.
package struct PurchaseProgress<Store: SagaStore>: Sendable where Store.Definition: PurchaseDefinition {
    let runner: SagaRunner<Store>
    let hints: PurchaseHints
    let watchers: SagaWatchers

    package init(_ runner: SagaRunner<Store>, hints: PurchaseHints, watchers: SagaWatchers) {
        self.runner = runner
        self.hints = hints
        self.watchers = watchers
    }

    package func advance(_ events: [SagaEvent<PurchaseInput>]) async throws -> [SagaResult<Store.Definition>] {
        guard !events.isEmpty else { return [] }
        let results = try await runner.advance(events)
        let moved = results.compactMap { if case .taken(let saga, _) = $0 { saga } else { nil } }
        watchers.notify(moved.map { .init(saga: $0.id, version: $0.version, hasOutcome: $0.state.outcome != nil) })
        hints.note(moved.filter { $0.state.outcome != nil }.map { .ended($0.request.intent, $0.id) })
        return results
    }
}

/// Whether a cancel that changed nothing is an error for the one who asked.
///
/// Where it is none, the purchase is turned back already, and nothing can complete it any more.
package enum CancelRules {
    package static func problem(in state: PurchaseState, of saga: SagaID) -> Problem? {
        switch state {
        case .confirming, .completed:
            Problem(.alreadyPaid, "the purchase is paid; ask for a refund instead", sagaId: saga)
        case .refused, .refunded: Problem(.alreadyEnded, "the purchase has ended", sagaId: saga)
        case .unwinding(.refundRequested, _), .unwinding(.seatsLost, _):
            Problem(.alreadyPaid, "the purchase was paid and is being refunded", sagaId: saga)
        case .reserving, .charging, .closing, .unwinding: nil
        }
    }
}

/// Whether a refund that changed nothing is an error for the one who asked.
///
/// Where it is none, the money is on its way back, or was given back.
package enum RefundRules {
    package static func problem(in state: PurchaseState, of saga: SagaID) -> Problem? {
        switch state {
        case .confirming:
            Problem(
                .notCompleted, "the tickets are just being issued; ask again when the purchase is completed",
                sagaId: saga)
        case .reserving, .charging, .closing:
            Problem(.notCompleted, "only a completed purchase can be refunded; cancel it instead", sagaId: saga)
        case .unwinding(.refundRequested, _), .refunded: nil
        case .unwinding, .refused: Problem(.alreadyEnded, "the purchase ended without tickets", sagaId: saga)
        case .completed: Problem(.internalError, "a completed purchase refused its refund", sagaId: saga)
        }
    }
}
