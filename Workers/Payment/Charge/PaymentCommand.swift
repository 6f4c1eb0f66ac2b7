import Contracts
import FleetRuntime
import WireJSON

/// A command that could be read: for which saga, what is asked, and on which terms.
struct PaymentCommand: Sendable, Equatable {
    let sagaID: SagaID
    let command: Charge.Command
    let terms: Charge.Terms

    /// Why a message is deadLettered.
    struct Illegible: Error, Equatable {
        let reason: String
    }

    init(_ envelope: Envelope) throws(Illegible) {
        guard let command = Charge.Command(envelope) else {
            throw Illegible(reason: DeadLetterReason.unexpectedKind(envelope.kind))
        }
        guard let sagaID = envelope.sagaID else {
            throw Illegible(reason: DeadLetterReason.missingSaga)
        }
        self.sagaID = sagaID
        self.command = command
        do {
            terms = try Self.terms(of: command.operation, in: envelope)
        } catch let error as Illegible {
            throw error
        } catch {
            throw Illegible(reason: DeadLetterReason.malformedBody(error))
        }
    }

    /// The charge that this command brings about when it is the first of its saga.
    ///
    /// A close or a refund that comes before its charge leaves a closed one, and the charge is then never asked for.
    var firstCharge: Charge {
        let state: Charge.State =
            switch command.operation {
            case .charge: .open
            case .close, .refund: .closed
            }
        return Charge(sagaID: sagaID, terms: terms, state: state, owed: command)
    }

    private static func terms(of operation: Charge.Operation, in envelope: Envelope) throws -> Charge.Terms {
        switch operation {
        case .charge:
            let body = try envelope.decode(ChargePayment.self)
            try check(body.amount)
            guard TextRule.isStorable(body.method, upTo: Limits.paymentMethodLength) else {
                throw Illegible(
                    reason: DeadLetterReason.malformedBody(
                        "method must have 1 to \(Limits.paymentMethodLength) characters")
                )
            }
            return Charge.Terms(amount: body.amount, method: body.method)
        case .close:
            _ = try envelope.decode(ClosePayment.self)
            return .none()
        case .refund:
            let body = try envelope.decode(RefundPayment.self)
            try check(body.amount)
            return .none(currency: body.amount.currency)
        }
    }

    private static func check(_ amount: Money) throws(Illegible) {
        guard amount.minor >= 0 else {
            throw Illegible(reason: DeadLetterReason.malformedBody("amount.minor must not be negative"))
        }
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        guard amount.currency.utf8.count == 3, amount.currency.utf8.allSatisfy(letters.contains) else {
            throw Illegible(reason: DeadLetterReason.malformedBody("amount.currency must be three capital letters"))
        }
    }
}

extension Charge.Command {
    /// Nil for a kind that payment does not carry out.
    init?(_ envelope: Envelope) {
        guard let operation = Charge.Operation(envelope.kind) else { return nil }
        self.init(operation: operation, id: envelope.id, step: envelope.step, traceparent: envelope.traceparent)
    }
}

extension Charge.Operation {
    init?(_ kind: MessageKind) {
        switch kind {
        case .charge: self = .charge
        case .close: self = .close
        case .refund: self = .refund
        default: return nil
        }
    }
}
