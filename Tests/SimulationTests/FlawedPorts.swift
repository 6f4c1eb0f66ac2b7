import Connections
import FleetRuntime
import Payment
import RabbitMQ
import Synchronization

/// Acknowledges what it takes at once, before anything has come of it.
struct HastyInlet: Inlet {
    let inner: any Inlet

    func open() async throws { try await inner.open() }
    func cancel() async throws { try await inner.cancel() }
    func close() async { await inner.close() }
    func acknowledge(through tag: UInt64) async throws {}
    func interrupt() { inner.interrupt() }

    func take(upTo limit: Int, notBefore moment: ContinuousClock.Instant?) async throws -> [Delivery] {
        let taken = try await inner.take(upTo: limit, notBefore: moment)
        if let last = taken.last { try await inner.acknowledge(through: last.tag) }
        return taken
    }
}

/// Takes a refused message for a published one.
struct CarelessOutlet: Outlet {
    let inner: any Outlet

    func open() async throws { try await inner.open() }
    func close() async { await inner.close() }

    func publish(_ batch: [Publication]) async throws -> [Refusal] {
        _ = try await inner.publish(batch)
        return []
    }
}

/// Publishes again whatever was refused, until it is taken.
struct StubbornOutlet: Outlet {
    let inner: any Outlet

    func open() async throws { try await inner.open() }
    func close() async { await inner.close() }

    func publish(_ batch: [Publication]) async throws -> [Refusal] {
        var remaining = batch
        while !remaining.isEmpty {
            let refusals = try await inner.publish(remaining)
            remaining = refusals.map { remaining[$0.index] }
            if !remaining.isEmpty { try await RuntimeEnvironment.sleep(for: .seconds(1)) }
        }
        return []
    }
}

/// Takes a broken connection for a confirmation.
struct DeafOutlet: Outlet {
    let inner: any Outlet

    func open() async throws { try await inner.open() }
    func close() async { await inner.close() }

    func publish(_ batch: [Publication]) async throws -> [Refusal] {
        do {
            return try await inner.publish(batch)
        } catch let error as BrokerError where error.code == .connectionLost {
            return []
        }
    }
}

/// Asks the provider under a new key each time.
final class RekeyingProvider: PaymentProvider {
    private let inner: any PaymentProvider
    private let calls = Mutex(0)

    init(_ inner: any PaymentProvider) {
        self.inner = inner
    }

    func charge(_ payment: ProviderPayment) async throws(ProviderError) -> ChargeAnswer {
        let number = calls.withLock { calls in
            calls += 1
            return calls
        }
        let other = ProviderPayment(key: "\(payment.key)#\(number)", amount: payment.amount, method: payment.method)
        return try await inner.charge(other)
    }

    func close(_ payment: ProviderPayment) async throws(ProviderError) -> CloseAnswer {
        try await inner.close(payment)
    }

    func refund(_ payment: ProviderPayment, of id: String) async throws(ProviderError) -> RefundAnswer {
        try await inner.refund(
            ProviderPayment(key: String(id.dropFirst(4)), amount: payment.amount, method: payment.method), of: id)
    }
}

/// Says that a payment is closed without asking.
struct PresumptuousProvider: PaymentProvider {
    let inner: any PaymentProvider

    func charge(_ payment: ProviderPayment) async throws(ProviderError) -> ChargeAnswer {
        try await inner.charge(payment)
    }

    func close(_ payment: ProviderPayment) async throws(ProviderError) -> CloseAnswer { .closed }

    func refund(_ payment: ProviderPayment, of id: String) async throws(ProviderError) -> RefundAnswer {
        try await inner.refund(payment, of: id)
    }
}
