import Contracts
import FleetStorage
import OrchestratorService
import SagaCore

/// The record of requests, with or without a flaw.
struct FlawedRequestStore<Definition: PurchaseDefinition>: RequestStore {
    private let inner: MemoryRequestStore<Definition>
    private let flaw: RequestFlaw

    init(_ inner: MemoryRequestStore<Definition>, _ flaw: RequestFlaw) {
        self.inner = inner
        self.flaw = flaw
    }

    func add(_ requests: [RequestRecord]) async throws -> [ExactText: RequestRecord] {
        try await inner.add(requests.filter { !isForgotten($0) })
    }

    func answer(_ requests: [RequestRecord]) async throws { try await inner.answer(requests) }
    func forget() async throws -> Int { try await inner.forget() }

    private func isForgotten(_ request: RequestRecord) -> Bool {
        switch flaw {
        case .none: false
        case .rejectionsForgotten: if case .rejected = request.answer { true } else { false }
        case .cancelsUnrecorded: request.kind == .purchaseCancel
        }
    }
}
