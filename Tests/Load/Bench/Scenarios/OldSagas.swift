import Contracts
import Foundation
import Postgres
import TestKit

/// Whether a fleet with years behind it, or beside a forgotten transaction, still sells as fast as a new one.
enum OldSagas {
    static let database = "history"

    static func trials(_ sizes: Sizes) -> [Trial] {
        [
            Trial(scenario: "history", variant: "empty tables") {
                try await Saturate.play($0, purchases: sizes.purchases, events: sizes.events)
            },
            Trial(scenario: "history", variant: "open transaction") {
                try await besideOpenTransaction($0, sizes)
            },
            Trial(scenario: "history", variant: "finished sagas", stock: .kept(database, sagas: sizes.history)) {
                stage in
                try await Past(stage: stage, sagas: sizes.history).make()
                var findings = try await Saturate.play(stage, purchases: sizes.purchases, events: sizes.events)
                findings.figures["finished sagas"] = Double(sizes.history)
                return findings
            },
        ]
    }

    /// Somebody has looked at the sagas and left the transaction open, so that no dead row can be cleaned up.
    private static func besideOpenTransaction(_ stage: Stage, _ sizes: Sizes) async throws -> Findings {
        let forgotten = try stage.cleaner.owner(of: Trial.Stock.fresh.database)
        let findings = try await forgotten.transaction { transaction in
            _ = try await transaction.query("SELECT count(*) FROM orchestrator.saga", as: Int.self)
            _ = try await transaction.query("SELECT pg_current_xact_id()::text", as: String.self)
            return try await Saturate.play(stage, purchases: sizes.purchases, events: sizes.events)
        }
        await forgotten.close()
        return findings
    }
}
