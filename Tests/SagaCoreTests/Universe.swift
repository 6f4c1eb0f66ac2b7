import Contracts
import FoundationEssentials
import SagaCore

/// Every state a purchase can stand in and every input that can come, each payload by examples.
enum Universe {
    static let reasons: [EndReason] = [
        .notReserved("sold-out", available: 3), .notReserved("seats-taken", available: nil),
        .declined("insufficient-funds"), .cancelled, .expired, .timedOut, .seatsLost,
        .refundRequested,
    ]

    /// A payment goes on being closed only where its closing had begun.
    static func outstanding(_ reason: EndReason) -> [Set<Compensation>] {
        let paid: [Set<Compensation>] = [[.release], [.refund], [.release, .refund]]
        let unknown: [Set<Compensation>] = [[.close], [.release, .close]]
        return ClosingReason.allCases.map(EndReason.init).contains(reason) ? paid + unknown : paid
    }

    static let states: [PurchaseState] =
        [.reserving, .charging, .confirming, .completed, .refunded]
        + ClosingReason.allCases.map { .closing($0) }
        + reasons.flatMap { reason in outstanding(reason).map { .unwinding(reason, outstanding: $0) } }
        + reasons.map { .refused($0) }

    static let ticket = IssuedTicket(id: TicketID.make(), tier: "Floor", seat: "A-1")

    static let inputs: [PurchaseInput] = [
        .start, .reserved(seats: ["A-1"], deadline: Date(timeIntervalSince1970: 1_000)),
        .reservationRefused(reason: "sold-out", available: 3),
        .reservationRefused(reason: "seats-taken", available: nil), .confirmed(tickets: [ticket]),
        .confirmRefused(reason: "no-hold"),
        .released, .captured(chargeID: "ch_1"), .declined(reason: "insufficient-funds"), .closed, .refunded,
        .holdExpired, .cancelRequested, .refundRequested, .notified, .stepTimedOut, .attemptsUsedUp,
    ]

    static let pairs = states.flatMap { state in inputs.map { (state, $0) } }
}
