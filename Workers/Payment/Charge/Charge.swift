import Contracts

/// One saga's payment as the database remembers it.
package struct Charge: Sendable, Equatable {
    package let sagaID: SagaID
    package let terms: Terms
    package var state: State
    /// Questions to the provider without an answer since the state last changed.
    package var attempts: Int
    /// The command whose answer is owed; a later operation takes the place of an earlier one.
    package var owed: Command

    package init(sagaID: SagaID, terms: Terms, state: State, attempts: Int = 0, owed: Command) {
        self.sagaID = sagaID
        self.terms = terms
        self.state = state
        self.attempts = attempts
        self.owed = owed
    }

    /// What the provider knows the charge by, however often it is asked.
    package var idempotencyKey: String { sagaID.description }
}

extension Charge {
    /// What is asked of a payment, in the order in which a saga asks.
    package enum Operation: String, Sendable, CaseIterable {
        case charge, close, refund
    }

    /// How far a payment has come; where there is a provider's id, money was taken.
    package enum State: Sendable, Hashable {
        case open
        case captured(id: String)
        case declined(reason: String)
        case closing
        case closed
        case refunding(id: String)
        case refunded(id: String)
    }

    /// How much is to be taken and from what; fixed by the first command of the saga.
    package struct Terms: Sendable, Equatable {
        package let amount: Money
        package let method: String

        package init(amount: Money, method: String) {
            self.amount = amount
            self.method = method
        }

        /// A payment that was ended before anybody asked for it; `XXX` is ISO 4217's "no currency".
        package static func none(currency: String = "XXX") -> Terms {
            Terms(amount: Money(currency: currency, minor: 0), method: noMethod)
        }

        package var areNone: Bool { method == Self.noMethod }

        private static let noMethod = "none"
    }

    /// A command as far as its answer must echo it.
    package struct Command: Sendable, Equatable {
        package let operation: Operation
        package let id: MessageID
        package let step: Int?
        package let traceparent: String?

        package init(operation: Operation, id: MessageID, step: Int?, traceparent: String?) {
            self.operation = operation
            self.id = id
            self.step = step
            self.traceparent = traceparent
        }
    }
}

extension Charge.State {
    /// Whether nothing is left to ask the provider.
    package var isFinished: Bool { ChargeRules.question(in: self) == nil }
}

extension Charge {
    /// The charge after a command arrived, before the provider is asked.
    package func accepting(_ command: Command) -> Charge {
        var charge = self
        charge.state = ChargeRules.accept(command.operation, in: state)
        if charge.state != state { charge.attempts = 0 }
        if !charge.state.isFinished, command.operation.supersedes(owed.operation) { charge.owed = command }
        return charge
    }

    /// The charge after the provider was asked in vain.
    package func afterVainAttempt() -> Charge {
        var charge = self
        charge.attempts = min(attempts + 1, 1_000_000)
        return charge
    }

    package func moved(to state: State) -> Charge {
        var charge = self
        charge.state = state
        charge.attempts = 0
        return charge
    }
}

extension Charge.Operation {
    /// Whether a saga that asks this no longer waits for an answer to `other`, or asks the same again.
    package func supersedes(_ other: Charge.Operation) -> Bool {
        switch (self, other) {
        case (.charge, .charge), (.close, .charge), (.close, .close), (.refund, .charge), (.refund, .close),
            (.refund, .refund):
            true
        case (.charge, .close), (.charge, .refund), (.close, .refund): false
        }
    }
}
