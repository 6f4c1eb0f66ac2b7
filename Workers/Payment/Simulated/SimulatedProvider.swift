import Contracts
import FleetRuntime
import Postgres

/// A provider whose answers are chosen by the payment method's token, for tests, demonstrations and measurements.
///
/// Its memory is a table, so it survives restarts and is shared by every process. Calls that come at the same time go
/// to the database as one statement. Lost answers and failures are real errors to the caller.
package struct SimulatedProvider: PaymentProvider {
    private struct Call: Sendable {
        let operation: Charge.Operation
        let payment: ProviderPayment
    }

    private let calls: Coalescer<Call, SimulatedCharge>

    /// - Parameter executor: where the batches had better be put together, such as the connection's thread.
    package init(_ connection: PostgresConnection, batch: Int = 500, on executor: (any TaskExecutor)? = nil) {
        calls = Coalescer(limit: batch, on: executor) { calls in await Self.answer(calls, on: connection) }
    }

    package func charge(_ payment: ProviderPayment) async throws(ProviderError) -> ChargeAnswer {
        let charge = try await ask(.charge, payment)
        guard charge.amount == payment.amount else { throw .failed("the key belongs to a charge of another amount") }
        let method = SimulatedMethod(token: payment.method)
        switch charge.status {
        case .captured where method == .timeoutAfterCharge && charge.calls == 1: throw .timedOut
        case .captured, .refunded: return .captured(id: charge.id)
        case .declined: return .declined(reason: charge.declineReason ?? "declined")
        case .closed: return .declined(reason: "closed")
        case .pending where method == .flaky: throw .failed("flaky")
        case .pending: return .pending
        }
    }

    package func close(_ payment: ProviderPayment) async throws(ProviderError) -> CloseAnswer {
        let charge = try await ask(.close, payment)
        switch charge.status {
        case .closed: return .closed
        case .captured, .refunded: return .captured(id: charge.id)
        case .declined: return .declined(reason: charge.declineReason ?? "declined")
        case .pending: throw .failed("still pending")
        }
    }

    package func refund(_ payment: ProviderPayment, of id: String) async throws(ProviderError) -> RefundAnswer {
        _ = try await ask(.refund, payment)
        return .refunded
    }

    private func ask(
        _ operation: Charge.Operation, _ payment: ProviderPayment
    ) async throws(ProviderError) -> SimulatedCharge {
        do {
            return try await calls.submit(Call(operation: operation, payment: payment))
        } catch let error as ProviderError {
            throw error
        } catch {
            throw .unavailable("\(error)")
        }
    }

    /// Puts a batch of calls to the database, each operation as one statement; equal calls share an answer.
    private static func answer(
        _ calls: [Call], on connection: PostgresConnection
    ) async -> [Result<SimulatedCharge, any Error>] {
        var known: [Charge.Operation: Result<[String: SimulatedCharge], any Error>] = [:]
        for operation in Charge.Operation.allCases {
            let payments = calls.filter { $0.operation == operation }.map { ($0.payment.key, $0.payment) }
            guard !payments.isEmpty else { continue }
            let distinct = Dictionary(payments) { first, _ in first }.values.sorted { $0.key < $1.key }
            do {
                let charges = try await carryOut(operation, of: distinct, on: connection)
                known[operation] = .success(Dictionary(uniqueKeysWithValues: charges.map { ($0.key, $0) }))
            } catch {
                known[operation] = .failure(error)
            }
        }
        return calls.map { call in
            Result {
                guard let charge = try known[call.operation]?.get()[call.payment.key] else {
                    throw ProviderError.failed("nothing was captured")
                }
                return charge
            }
        }
    }

    /// The payments come in the order of their keys, so that two processes lock them in the same order.
    private static func carryOut(
        _ operation: Charge.Operation, of payments: [ProviderPayment], on connection: PostgresConnection
    ) async throws -> [SimulatedCharge] {
        switch operation {
        case .charge: try await SimulatedMemory.charge(payments, on: connection)
        case .close: try await SimulatedMemory.close(payments, on: connection)
        case .refund: try await SimulatedMemory.refund(payments, on: connection)
        }
    }
}
