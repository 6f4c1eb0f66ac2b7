import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials
import Postgres
import TestKit
import Testing

@testable import Payment

/// One payment process on a real database and a broker of its own; several of them may share the database.
struct Rig: Sendable {
    let database: TestDatabase
    let outlet = FakeOutlet()
    let worker: PaymentWorker<PostgresChargeStore>
    let handler: ExternalCallConsumer<PaymentWorker<PostgresChargeStore>, PostgresInboxStore>
    let sweep: PendingCharges<PostgresChargeStore, PostgresInboxStore>
    let ledger: PostgresInboxStore
    let owner: PostgresConnection

    /// Without a provider of its own it uses the simulated one; nothing pauses before it is asked again.
    init(_ database: TestDatabase, provider: (any PaymentProvider)? = nil, patience: Duration = .seconds(5)) {
        self.database = database
        let desk = PaymentGateway(
            provider ?? SimulatedProvider(database.connection(as: .payment)),
            limits: .init(
                width: 1_000, patience: patience, breaker: CircuitBreaker(threshold: 1_000, pause: .seconds(1))),
            health: HealthRegistry(), logger: quiet)
        let pauses = Pauses(first: .zero, limit: .zero, refundLimit: .zero)
        ledger = PostgresInboxStore(database.connection(as: .payment), meaning: PostgresChargeStore.meaning)
        worker = PaymentWorker(book: PostgresChargeStore(), desk: desk, pauses: pauses, logger: quiet)
        handler = ExternalCallConsumer(worker, ledger: ledger)
        let messagePublisher = MessagePublisher(
            outlet: outlet, application: "payment", health: HealthRegistry(), logger: quiet)
        sweep = PendingCharges(
            book: PostgresChargeStore(), ledger: PostgresInboxStore(database.connection(as: .payment)), desk: desk,
            messagePublisher: messagePublisher, pauses: pauses, logger: quiet)
        owner = database.owner()
    }

    /// The kinds of the answers to one command.
    func handle(_ envelope: Envelope) async throws -> [MessageKind] {
        try await replies(to: envelope).map(\.envelope.kind)
    }

    func replies(to envelope: Envelope) async throws -> [OutgoingMessage] {
        let outcomes = try await handler.handle([envelope])
        guard case .reply(let replies) = try #require(outcomes.first) else {
            Issue.record("not answered: \(outcomes)")
            return []
        }
        return replies
    }

    /// Makes everything due, so that no test waits for a lease or the crash net.
    func makeDue() async throws {
        _ = try await owner.execute("UPDATE payment.charge SET next_check_at = now() WHERE next_check_at IS NOT NULL")
    }

    func status(of buyer: Buyer) async throws -> String? {
        try await owner.query(
            "SELECT status FROM payment.charge WHERE saga_id = $1", [buyer.saga.uuid], as: String.self
        )
        .first
    }

    func isDue(_ buyer: Buyer) async throws -> Bool {
        try await owner.query(
            "SELECT next_check_at IS NOT NULL FROM payment.charge WHERE saga_id = $1", [buyer.saga.uuid], as: Bool.self
        ) == [true]
    }

    /// Status, calls and number of captures as the simulated provider remembers them.
    func provider(_ buyer: Buyer) async throws -> (status: String, calls: Int)? {
        try await owner.query(
            "SELECT status, calls FROM payment.simulated_charge WHERE idempotency_key = $1", [buyer.saga.description],
            as: (String, Int).self
        ).first.map { ($0, $1) }
    }

    func attempts(_ buyer: Buyer) async throws -> [String] {
        try await owner.query(
            "SELECT operation || ' ' || outcome FROM payment.attempt WHERE saga_id = $1 ORDER BY at", [buyer.saga.uuid],
            as: String.self)
    }

    func close() async {
        await owner.close()
    }
}

/// Lends a payment process on a database of its own.
func withRig<R>(
    provider: (any PaymentProvider)? = nil, patience: Duration = .seconds(5), _ body: (Rig) async throws -> R
) async throws -> R {
    try await withTestDatabase([(.payment, PaymentService.migrations)]) { database in
        try await body(Rig(database, provider: provider, patience: patience))
    }
}
