import Contracts
import FoundationEssentials
import Postgres
import SagaCore

/// Proves in one scan of a range, without sorting it, that every journal that ran straight leads to its saga.
///
/// A line that leads to a state gives a token (saga, version, step, state), and the next line takes the one before it;
/// the token of the last line is taken by the saga itself. So the exclusive or of all tokens' hashes is nothing, unless
/// a line is missing, doubled or says something else than its neighbours. The rest of a line, what came and what
/// followed, is grouped and replayed. This needs lines from which the state before them can be told: starts, moves from
/// states without a payload that were just entered, and letters that arrived. Journals with other lines are left out.
struct JournalDigest {
    /// Whether the journals that ran straight lead to their sagas; if not, all of the range must be looked at.
    let isSound: Bool
    /// Sagas whose journals did not run straight.
    let others: [SagaID]
    /// The lines of those that did.
    let lines: Int

    init(_ connection: PostgresConnection, of range: SagaSelection, options: Verifier.Options) async throws {
        others = try await Self.others(in: range, connection)
        guard others.count <= options.page / 2 else {
            isSound = false
            lines = 0
            return
        }
        let rows = try await connection.query(
            Self.statement(range), range.parameters + [others.map(\.uuid), PurchaseSaga.lessons], as: Columns.self)
        lines = rows.reduce(0) { $0 + $1.10 }
        let sum = rows.reduce(rows.first?.12 ?? 0) { $0 ^ $1.11 }
        isSound =
            !rows.isEmpty && sum == 0 && rows.allSatisfy(\.13)
            && rows.allSatisfy { StepGroup(Self.step($0)).complaint == nil }
    }

    private typealias Columns = (
        String?, String, String, String?, String, String, String, Bool, Bool, Bool, Int, Int, Int?, Bool
    )

    private static func step(_ row: Columns) -> StepGroup.Columns {
        (row.0, row.1, row.2, row.3, row.4, row.5, row.6, row.7, row.8, row.9, row.10)
    }

    private static let plainStates = [PurchaseState.reserving, .charging, .confirming].map { "'\($0.tag)'" }
        .joined(separator: ", ")

    private static func others(in range: SagaSelection, _ connection: PostgresConnection) async throws -> [SagaID] {
        try await connection.query(
            """
            SELECT DISTINCT saga_id FROM saga_step
            WHERE \(range.condition(on: "saga_id")) AND from_state IS NOT NULL
                AND CASE from_state WHEN to_state THEN input_name <> '\(PurchaseInput.notified.name)'
                    ELSE from_state NOT IN (\(plainStates)) END
            """, range.parameters, as: (UUID).self
        ).map { SagaID($0) }
    }

    private static func token(_ saga: String, _ version: String, _ step: String, _ state: String) -> String {
        "uuid_hash_extended(\(saga), hashtextextended(\(state), (\(version))::bigint << 32 | (\(step))))"
    }

    /// What the sagas' side comes to is worked out once, whatever the planner believes of tables without statistics.
    private static func statement(_ range: SagaSelection) -> String {
        """
        WITH sagas AS MATERIALIZED (
            SELECT bit_xor(\(token("id", "version", "step", "detail"))) AS stored,
                coalesce(bool_and(strpos(detail, '"' || state || '"') > 0), true) AS is_tagged
            FROM saga
            WHERE kind = '\(PurchaseSaga.kind)' AND \(range.condition(on: "id")) AND id <> ALL($3)
        )
        SELECT previous, min(input), decisive, from_state, to_state, detail, effects,
            (from_state IS NULL) = (version = 1) AS is_next, is_stay OR step = version AS is_step_kept, is_named, count(*),
            bit_xor(\(token("saga_id", "version", "step", "detail")) # CASE WHEN previous IS NULL THEN 0
                ELSE \(token("saga_id", "version - 1", "CASE WHEN is_stay THEN step ELSE version - 1 END", "previous"))
                END),
            stored, is_tagged
        FROM (
            SELECT saga_id, version, step, from_state, to_state, detail, effects, input,
                coalesce(from_state = to_state, false) AS is_stay,
                CASE from_state WHEN to_state THEN detail ELSE '{"state":"' || from_state || '"}' END AS previous,
                CASE WHEN input_name = ANY($4) THEN input_name ELSE input END AS decisive,
                \(StepGroup.namedCondition) AS is_named
            FROM saga_step WHERE \(range.condition(on: "saga_id")) AND saga_id <> ALL($3)
        ) AS line CROSS JOIN sagas
        GROUP BY previous, decisive, from_state, to_state, detail, effects, is_next, is_step_kept, is_named,
            stored, is_tagged
        """
    }
}
