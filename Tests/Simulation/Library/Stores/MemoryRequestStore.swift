import Contracts
import FleetStorage
import OrchestratorService
import SagaCore

/// The record of requests in memory.
package struct MemoryRequestStore<Definition: PurchaseDefinition>: RequestStore {
    let session: MemorySession<OrchestratorTables<Definition>>

    package init(_ session: MemorySession<OrchestratorTables<Definition>>) {
        self.session = session
    }

    package func add(_ requests: [RequestRecord]) async throws -> [ExactText: RequestRecord] {
        try await session.transact { transaction in
            try await transaction.write(locking: requests.map { .text(.request, $0.key) }) { tables in
                var earlier: [ExactText: RequestRecord] = [:]
                for request in requests where !tables.add(request) {
                    if let record = tables.requests[request.key], record != request {
                        earlier[request.exactKey] = record
                    }
                }
                return earlier
            }
        }
    }

    package func answer(_ requests: [RequestRecord]) async throws {
        guard !requests.isEmpty else { return }
        try await session.transact { transaction in
            try await transaction.write(locking: requests.map { .text(.request, $0.key) }) { tables in
                for request in requests where tables.requests[request.key]?.answer == .pending {
                    tables.requests[request.key] = request
                }
            }
        }
    }

    /// Nothing is as old as that in memory.
    package func forget() async throws -> Int { 0 }
}
