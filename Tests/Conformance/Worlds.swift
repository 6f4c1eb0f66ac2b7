import Contracts
import Engine
import Foundation
import OrchestratorService
import Postgres
import SagaCore
import Simulation
import TestKit
import Testing

/// Runs a body in a simulated universe without trouble, and brings its error out.
func inMemory(_ body: @escaping @Sendable (Incarnation) async throws -> Void) throws {
    let universe = Universe(seed: 1, recorded: false)
    let isOver = universe.run {
        let process = Incarnation("test", in: universe) {}
        do {
            try await body(process)
        } catch {
            universe.condemn("\(error)")
        }
        process.die()
    }
    #expect(isOver, "the simulation came to a standstill")
    #expect(universe.violations == [])
}

/// The error that a piece of work ends with; none is a failure of the test.
func failure(of work: () async throws -> Void) async -> (any Error)? {
    do {
        try await work()
        Issue.record("nothing was thrown")
        return nil
    } catch {
        return error
    }
}

/// A saga, charge or message id that no other promise uses.
func fresh<ID: Identifier>(_ type: ID.Type = ID.self) -> ID { .make() }

/// A time that survives every way of storing it.
let moment = Date(timeIntervalSince1970: 1_790_000_000.25)

/// An answer as a worker would record it.
func reply(to saga: SagaID) throws -> OutgoingMessage {
    OutgoingMessage(
        try Envelope(
            id: fresh(), SeatsReleased(), sagaID: saga, step: 3, causationID: fresh(), occurredAt: moment),
        to: .orchestrator)
}

/// A saga at its first step, and that step.
func newborn(
    key: String? = nil, intent: String? = nil, fingerprint: Data = Data([1, 2, 3]), message: MessageID = fresh()
) throws -> (saga: NewSaga<PurchaseSaga>, entry: JournalEntry<PurchaseSaga>) {
    let request = PurchaseRequest(
        userId: "anna", eventId: fresh(), tier: "floor", quantity: 2, seats: nil,
        amount: Money(currency: "CHF", minor: 5_000), paymentMethod: "sim_ok", email: nil, holdSeconds: 60,
        replyTo: nil, correlationID: nil)
    let id = fresh(SagaID.self)
    let event = SagaEvent(
        sagaID: id, messageID: message, input: PurchaseInput.start, answeredStep: nil, traceparent: nil)
    let (record, entry) = try #require(
        SagaRecord<PurchaseSaga>.starting(
            id, by: event, request: request, at: moment,
            patience: RetryPolicy(stepTimeout: .seconds(30), attempts: 5)))
    let claim = StartClaim(
        key: key, fingerprint: fingerprint, intent: intent, eventID: request.eventId, userID: "anna")
    return (NewSaga(record: record, claim: claim), entry)
}
