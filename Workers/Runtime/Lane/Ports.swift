import Connections
import Postgres
import RabbitMQ
import Redis

/// Where a lane's messages come from: one queue of a broker.
package protocol Inlet: Sendable {
    func open() async throws
    /// Waits for the first delivery, then takes what is there, at most `limit`; empty when the task is cancelled.
    func take(upTo limit: Int) async throws -> [Delivery]
    /// Settles every delivery up to this one.
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

extension Consumer: Inlet {}
extension Publisher: Outlet {}
extension BrokerError: RecoverableFailure {}
extension PostgresError: RecoverableFailure {}
