import Contracts
import FoundationEssentials
import Logging

@testable import Payment

/// For those who say what they expect by other means.
let quiet = Logger(label: "payment", factory: { _ in SwiftLogNoOpLogHandler() })

let euros = Money(currency: "EUR", minor: 4_200)

/// Writes the commands of one saga the way the orchestrator does: the same step and kind, the same id.
struct Buyer: Sendable {
    let saga = SagaID.make()
    var trace: String? = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    func charge(_ method: String, amount: Money = euros, step: Int = 2) throws -> Envelope {
        try command(ChargePayment(amount: amount, method: method), step: step)
    }

    func close(step: Int = 3) throws -> Envelope {
        try command(ClosePayment(reason: "expired"), step: step)
    }

    func refund(_ amount: Money = euros, step: Int = 4) throws -> Envelope {
        try command(RefundPayment(amount: amount, reason: "cancelled"), step: step)
    }

    /// The one id that an answer of `kind` to this saga can have.
    func answer(_ kind: MessageKind) -> MessageID {
        .derived(from: saga.uuid, kind.rawValue)
    }

    private func command<Payload: Message>(_ payload: Payload, step: Int) throws -> Envelope {
        try Envelope(
            id: .derived(from: saga, step: step, kind: Payload.kind), payload, sagaID: saga, step: step,
            causationID: nil, occurredAt: Date(timeIntervalSince1970: 1_700_000_000), traceparent: trace)
    }
}
