import CoreMetrics
import Synchronization

/// The one way to a provider: puts the question that a charge is in need of, with patience, in bounds, and not in vain.
package final class ProviderDesk: Sendable {
    package struct Limits: Sendable {
        /// The most calls at the same time.
        package var width: Int
        /// How long one call may take before its answer counts as unknown.
        package var patience: Duration
        package var breaker: CircuitBreaker

        package init(width: Int, patience: Duration, breaker: CircuitBreaker) {
            self.width = width
            self.patience = patience
            self.breaker = breaker
        }
    }

    private let provider: any PaymentProvider
    private let calls: PatientCalls
    private let breaker: Mutex<CircuitBreaker>
    private let meters = ProviderMeters()

    package init(_ provider: any PaymentProvider, limits: Limits) {
        self.provider = provider
        calls = PatientCalls(width: limits.width, patience: limits.patience)
        breaker = Mutex(limits.breaker)
    }

    /// Asks for each charge what its state calls for; finished charges must not come here.
    package func ask(_ charges: [Charge]) async -> [Finding] {
        let answers = await calls.make(charges) { charge in
            unanswered(charge, .timedOut)
        } call: { charge in
            await self.ask(charge)
        }
        return zip(charges, answers).map(Finding.init)
    }

    private func ask(_ charge: Charge) async -> ProviderAnswer {
        guard breaker.withLock({ $0.admits(at: .now) }) else { return unanswered(charge, .notAsked) }
        do throws(ProviderError) {
            let answer = try await put(charge)
            // An answer that nobody waits for any more has been counted as a failure.
            if !Task.isCancelled { note(answer) }
            return answer
        } catch {
            return Task.isCancelled ? .unknown(question(of: charge), error) : unanswered(charge, error)
        }
    }

    private func put(_ charge: Charge) async throws(ProviderError) -> ProviderAnswer {
        let payment = ProviderPayment(charge)
        switch charge.state {
        case .open: return .charge(try await provider.charge(payment))
        case .closing: return .close(try await provider.close(payment))
        case .refunding(let id): return .refund(try await provider.refund(payment, of: id))
        case .captured, .declined, .closed, .refunded: preconditionFailure("a finished charge was asked about")
        }
    }

    private func unanswered(_ charge: Charge, _ error: ProviderError) -> ProviderAnswer {
        let answer = ProviderAnswer.unknown(question(of: charge), error)
        note(answer)
        return answer
    }

    private func question(of charge: Charge) -> Charge.Operation {
        guard let question = ChargeRules.question(in: charge.state) else {
            preconditionFailure("a finished charge was asked about")
        }
        return question
    }

    private func note(_ answer: ProviderAnswer) {
        meters.count(answer)
        switch answer {
        case .charge, .close, .refund, .unknown(_, .failed): breaker.withLock { $0.succeeded() }
        case .unknown(_, .timedOut), .unknown(_, .unavailable): breaker.withLock { $0.failed(at: .now) }
        case .unknown(_, .notAsked): break
        }
    }
}

/// What came of asking about a charge, which stood like this at the time.
package struct Finding: Sendable, Equatable {
    package let charge: Charge
    package let answer: ProviderAnswer

    package init(_ charge: Charge, _ answer: ProviderAnswer) {
        self.charge = charge
        self.answer = answer
    }
}

/// Counts the provider's answers by question and outcome.
private struct ProviderMeters: Sendable {
    private struct Key: Hashable {
        let operation: Charge.Operation
        let outcome: AttemptNote.Outcome
    }

    private let counters: [Key: Counter]

    init() {
        var counters: [Key: Counter] = [:]
        for operation in Charge.Operation.allCases {
            for outcome in AttemptNote.Outcome.allCases {
                let dimensions = [("operation", operation.rawValue), ("outcome", outcome.rawValue)]
                counters[Key(operation: operation, outcome: outcome)] = Counter(
                    label: "turnstile_payment_answers_total", dimensions: dimensions)
            }
        }
        self.counters = counters
    }

    func count(_ answer: ProviderAnswer) {
        counters[Key(operation: answer.operation, outcome: answer.outcome)]?.increment()
    }
}
