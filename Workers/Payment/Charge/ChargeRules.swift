import Contracts

/// Decides what becomes of a charge; touches nothing.
///
/// Money is taken once and never forgotten: nothing leads from a state with a provider id to one without.
package enum ChargeRules {
    /// What an answer of the provider means for a charge.
    package enum Verdict: Sendable, Equatable {
        case move(to: Charge.State)
        /// Nothing is known yet: the same question again, later.
        case askAgain
        /// What stands says as much already, or more.
        case keep
        /// The provider contradicts what it said before; the money decides what stands.
        case contradiction(leaving: Charge.State)
    }

    /// The state a command leaves the charge in, before the provider is asked.
    package static func accept(_ operation: Charge.Operation, in state: Charge.State) -> Charge.State {
        switch (operation, state) {
        case (.close, .open), (.refund, .open): .closing
        case (.refund, .captured(let id)): .refunding(id: id)
        case (.charge, _): state
        case (.close, .captured), (.close, .declined), (.close, .closing), (.close, .closed), (.close, .refunding),
            (.close, .refunded), (.refund, .declined), (.refund, .closing), (.refund, .closed), (.refund, .refunding),
            (.refund, .refunded):
            state
        }
    }

    /// What the provider must be asked while the charge is in this state; nil when it is finished.
    package static func question(in state: Charge.State) -> Charge.Operation? {
        switch state {
        case .open: .charge
        case .closing: .close
        case .refunding: .refund
        case .captured, .declined, .closed, .refunded: nil
        }
    }

    /// Where an answer takes the charge, whatever has happened to it since the question.
    package static func judge(
        _ answer: ProviderAnswer, in state: Charge.State, owing operation: Charge.Operation
    ) -> Verdict {
        switch state {
        case .open: whileOpen(answer, owing: operation)
        case .closing: whileClosing(answer, owing: operation)
        case .captured(let id): withMoney(id, answer, in: state)
        case .refunding(let id): whileRefunding(id, answer)
        case .refunded(let id): afterRefunding(id, answer)
        case .declined, .closed: withoutMoney(answer, in: state, owing: operation)
        }
    }

    private static func whileOpen(_ answer: ProviderAnswer, owing operation: Charge.Operation) -> Verdict {
        switch answer {
        case .charge(.captured(let id)), .close(.captured(let id)): .move(to: taken(id, owing: operation))
        case .charge(.declined(let reason)), .close(.declined(let reason)): .move(to: .declined(reason: reason))
        case .charge(.pending), .unknown(.charge, _): .askAgain
        case .unknown(.close, _): .keep
        // Nobody has asked for this yet; the charge, asked for again, will be refused.
        case .close(.closed): .contradiction(leaving: .open)
        case .refund(.refunded), .refund(.pending), .unknown(.refund, _): .contradiction(leaving: .open)
        }
    }

    /// A charge that is refused or silent meanwhile is no answer: the close has the last word.
    private static func whileClosing(_ answer: ProviderAnswer, owing operation: Charge.Operation) -> Verdict {
        switch answer {
        case .charge(.captured(let id)), .close(.captured(let id)): .move(to: taken(id, owing: operation))
        case .close(.closed): .move(to: .closed)
        case .close(.declined(let reason)): .move(to: .declined(reason: reason))
        case .unknown(.close, _): .askAgain
        case .charge(.declined), .charge(.pending), .unknown(.charge, _): .keep
        case .refund(.refunded), .refund(.pending), .unknown(.refund, _): .contradiction(leaving: .closing)
        }
    }

    private static func withMoney(_ id: String, _ answer: ProviderAnswer, in state: Charge.State) -> Verdict {
        switch answer {
        case .charge(.captured(let other)), .close(.captured(let other)):
            other == id ? .keep : .contradiction(leaving: state)
        case .charge(.pending), .unknown: .keep
        case .charge(.declined), .close(.declined), .close(.closed), .refund(.refunded), .refund(.pending):
            .contradiction(leaving: state)
        }
    }

    private static func whileRefunding(_ id: String, _ answer: ProviderAnswer) -> Verdict {
        switch answer {
        case .refund(.refunded): .move(to: .refunded(id: id))
        case .refund(.pending), .unknown(.refund, _): .askAgain
        case .charge, .close, .unknown(.charge, _), .unknown(.close, _):
            withMoney(id, answer, in: .refunding(id: id))
        }
    }

    private static func afterRefunding(_ id: String, _ answer: ProviderAnswer) -> Verdict {
        switch answer {
        case .refund: .keep
        case .charge, .close, .unknown: withMoney(id, answer, in: .refunded(id: id))
        }
    }

    /// Money that shows up after the end is kept in the books, so that the saga can ask for it back.
    private static func withoutMoney(
        _ answer: ProviderAnswer, in state: Charge.State, owing operation: Charge.Operation
    ) -> Verdict {
        switch answer {
        case .charge(.captured(let id)), .close(.captured(let id)):
            .contradiction(leaving: taken(id, owing: operation))
        case .charge(.declined), .charge(.pending), .close(.declined), .close(.closed), .unknown: .keep
        case .refund(.refunded), .refund(.pending): .contradiction(leaving: state)
        }
    }

    /// Money that came in after its refund was asked for goes straight back.
    private static func taken(_ id: String, owing operation: Charge.Operation) -> Charge.State {
        switch operation {
        case .charge, .close: .captured(id: id)
        case .refund: .refunding(id: id)
        }
    }
}
