import Contracts
import FoundationEssentials
import Postgres

/// Reads rows of `payment.charge`.
enum ChargeRow {
    typealias Columns = (
        UUID, Int64, String, String, String, String?, String?, Int, String, UUID, Int?, String?
    )

    static let columns = """
        saga_id, amount_minor, currency, method, status, provider_id, decline_reason, attempts,
            command, command_id, step, traceparent
        """

    static func charge(_ row: Columns) throws -> Charge {
        let (saga, minor, currency, method, status, providerID, reason, attempts, command, commandID, step, trace) = row
        guard let operation = Charge.Operation(rawValue: command),
            let state = Charge.State(status: status, providerID: providerID, declineReason: reason)
        else { throw BrokenCharge(saga: SagaID(saga), status: status) }
        return Charge(
            sagaID: SagaID(saga),
            terms: Charge.Terms(amount: Money(currency: currency, minor: minor), method: method), state: state,
            attempts: attempts,
            owed: Charge.Command(operation: operation, id: MessageID(commandID), step: step, traceparent: trace))
    }
}

/// A row that the table's constraints should not have let in.
struct BrokenCharge: Error {
    let saga: SagaID
    let status: String
}

extension Charge.State {
    /// Nil for a status that does not exist, or that lacks what belongs to it.
    init?(status: String, providerID: String?, declineReason: String?) {
        switch (status, providerID, declineReason) {
        case ("open", nil, nil): self = .open
        case ("captured", let id?, nil): self = .captured(id: id)
        case ("declined", nil, let reason?): self = .declined(reason: reason)
        case ("closing", nil, nil): self = .closing
        case ("closed", nil, nil): self = .closed
        case ("refunding", let id?, nil): self = .refunding(id: id)
        case ("refunded", let id?, nil): self = .refunded(id: id)
        default: return nil
        }
    }

    var status: String {
        switch self {
        case .open: "open"
        case .captured: "captured"
        case .declined: "declined"
        case .closing: "closing"
        case .closed: "closed"
        case .refunding: "refunding"
        case .refunded: "refunded"
        }
    }

    var providerID: String? {
        switch self {
        case .captured(let id), .refunding(let id), .refunded(let id): id
        case .open, .declined, .closing, .closed: nil
        }
    }

    var declineReason: String? {
        switch self {
        case .declined(let reason): reason
        case .open, .captured, .closing, .closed, .refunding, .refunded: nil
        }
    }
}

extension Duration {
    /// For `* interval '1 millisecond'`.
    var wholeMilliseconds: Int64 {
        components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000
    }
}
