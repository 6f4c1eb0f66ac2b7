import Contracts
import FoundationEssentials

/// What a command is answered with.
package enum ChargeNews: Sendable, Equatable {
    case captured(id: String, Money)
    case declined(reason: String)
    case closed
    case refunded(Money)

    /// The answer to `operation` by what stands; nil while there is none, or when it is owed to a later command.
    package init?(for operation: Charge.Operation, of charge: Charge) {
        switch operation {
        case .charge: self.init(forChargeOf: charge)
        case .close: self.init(forCloseOf: charge)
        case .refund: self.init(forRefundOf: charge)
        }
    }

    /// Whoever closed the payment hears of the end; the charge has nobody left who waits for it.
    private init?(forChargeOf charge: Charge) {
        switch charge.state {
        case .captured(let id), .refunding(let id), .refunded(let id): self = .captured(id: id, charge.terms.amount)
        case .declined(let reason): self = .declined(reason: reason)
        case .open, .closing, .closed: return nil
        }
    }

    private init?(forCloseOf charge: Charge) {
        switch charge.state {
        case .captured(let id), .refunding(let id), .refunded(let id): self = .captured(id: id, charge.terms.amount)
        case .declined(let reason): self = .declined(reason: reason)
        case .closed: self = .closed
        case .open, .closing: return nil
        }
    }

    /// Where nothing was taken, nothing goes back, and that is an answer too.
    private init?(forRefundOf charge: Charge) {
        switch charge.state {
        case .refunded: self = .refunded(charge.terms.amount)
        case .declined, .closed: self = .refunded(Money(currency: charge.terms.amount.currency, minor: 0))
        case .open, .captured, .closing, .refunding: return nil
        }
    }
}

extension ChargeNews {
    /// Writes the answer to `command`.
    ///
    /// Its id comes from the saga and the kind alone: a saga hears each piece of news once, however many commands and
    /// repeats asked for it.
    package func reply(to command: Charge.Command, of saga: SagaID, at time: Date) throws -> OutgoingMessage {
        switch self {
        case .captured(let id, let amount):
            try Self.reply(PaymentCaptured(chargeId: id, amount: amount), command, saga, time)
        case .declined(let reason): try Self.reply(PaymentDeclined(reason: reason), command, saga, time)
        case .closed: try Self.reply(PaymentClosed(), command, saga, time)
        case .refunded(let amount): try Self.reply(PaymentRefunded(amount: amount), command, saga, time)
        }
    }

    private static func reply<Payload: Message>(
        _ payload: Payload, _ command: Charge.Command, _ saga: SagaID, _ time: Date
    ) throws -> OutgoingMessage {
        let envelope = try Envelope(
            id: .derived(from: saga.uuid, Payload.kind.rawValue), payload, sagaID: saga, step: command.step,
            causationID: command.id, occurredAt: time, traceparent: command.traceparent)
        return OutgoingMessage(envelope, to: .orchestrator)
    }
}

extension Charge {
    /// The answer to one of this charge's commands; nil while there is none.
    package func reply(to command: Command, at time: Date) throws -> OutgoingMessage? {
        try ChargeNews(for: command.operation, of: self)?.reply(to: command, of: sagaID, at: time)
    }
}
