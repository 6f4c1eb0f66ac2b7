import Connections
import Contracts
import FleetRuntime
import Logging
import Synchronization

/// The one way to a provider: puts the question that a charge is in need of, with patience, in bounds, and not in vain.
package final class PaymentGateway: Sendable {
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

    private static let beforeAsking = FaultPoint("provider.before-call")
    private static let answered = FaultPoint("provider.after-call")
    private let provider: any PaymentProvider
    private let calls: PatientCalls
    private let breaker: Mutex<CircuitBreaker>
    private let meters = ProviderMeters()
    private let health: HealthRegistry
    private let logger: Logger

    /// - Parameter executor: where the provider's calls had better run, such as the thread of its connection.
    package init(
        _ provider: any PaymentProvider, limits: Limits, on executor: (any TaskExecutor)? = nil, health: HealthRegistry,
        logger: Logger
    ) {
        self.provider = provider
        self.health = health
        self.logger = logger
        calls = PatientCalls(width: limits.width, patience: limits.patience, on: executor)
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
        guard breaker.withLock({ $0.admits(at: RuntimeEnvironment.instant) }) else {
            return unanswered(charge, .notAsked)
        }
        do throws(ProviderError) {
            Self.beforeAsking.pass()
            let answer = try await put(charge)
            Self.answered.pass()
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
        case .charge, .close, .refund, .unknown(_, .failed): tell(breaker.withLock { $0.succeeded() })
        case .unknown(_, .timedOut), .unknown(_, .unavailable):
            tell(breaker.withLock { $0.failed(at: RuntimeEnvironment.instant) })
        case .unknown(_, .notAsked): break
        }
    }

    /// Without its provider the worker still takes commands; their answers wait.
    private func tell(_ turn: CircuitBreaker.Turn?) {
        switch turn {
        case .opened:
            health.report(.degraded("the provider does not answer"), for: Self.component)
            logger.warning("the payment provider does not answer and is left alone for a while")
        case .closed:
            health.report(.ready, for: Self.component)
            logger.info("the payment provider answers again")
        case nil: break
        }
    }

    private static let component = "payment provider"
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
