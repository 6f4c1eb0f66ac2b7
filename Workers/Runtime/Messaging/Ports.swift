import Connections
import Postgres
import RabbitMQ
import Redis

/// Where a lane's messages come from: one queue of a broker.
package protocol Inlet: Sendable {
    func open() async throws
    /// Waits for the first delivery, and for the moment if less than `limit` is there, then takes what is there.
    ///
    /// Empty when the task is cancelled or after an interruption.
    func take(upTo limit: Int, notBefore moment: ContinuousClock.Instant?) async throws -> [Delivery]
    /// Ends a wait for deliveries, and every later one at once; whoever waits hears of it some time soon.
    func interrupt()
    /// Settles every delivery up to this one, some time soon.
    func acknowledge(through tag: UInt64) async throws
    /// Stops deliveries and hands back what was not taken.
    func cancel() async throws
    func close() async
}

/// Where messages go: a broker that says of each whether it is safe.
package protocol Outlet: Sendable {
    func open() async throws
    /// Returns when the broker has answered for every message; lists those it did not take.
    func publish(_ batch: [Publication]) async throws -> [Refusal]
    func close() async
}

/// A queue's consumer, whose acknowledgements may wait for each other.
package struct QueueInlet: Inlet {
    /// What a crash makes come again is a little more; what a quorum queue has to log is a lot less.
    private static let acknowledgementDelay = Duration.milliseconds(100)

    private let consumer: Consumer

    package init(_ consumer: Consumer) {
        self.consumer = consumer
    }

    package func open() async throws { try await consumer.open() }
    package func cancel() async throws { try await consumer.cancel() }
    package func interrupt() { consumer.interrupt() }
    package func close() async { await consumer.close() }

    package func take(upTo limit: Int, notBefore moment: ContinuousClock.Instant?) async throws -> [Delivery] {
        try await consumer.take(upTo: limit, notBefore: moment)
    }

    package func acknowledge(through tag: UInt64) async throws {
        consumer.acknowledge(through: tag, within: Self.acknowledgementDelay)
    }
}

extension Publisher: Outlet {}
extension BrokerError: RecoverableFailure {}

extension PostgresError: RecoverableFailure {
    package var isConflict: Bool { code == .serializationFailure || code == .deadlock }
}
