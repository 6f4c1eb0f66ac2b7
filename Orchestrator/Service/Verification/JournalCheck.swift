import Contracts
import FoundationEssentials
import Postgres
import SagaCore

/// Whether every journal, replayed through the pure transition function, gives the stored saga.
///
/// A million sagas take few different steps: the database groups the journal's lines by where they start, what came and
/// where they lead, and each group is replayed once. What a saga learnt is compared in the database; where the
/// texts differ, the saga's whole journal is replayed here.
struct JournalCheck {
    private typealias Saga = PurchaseSaga

    private let connection: PostgresConnection

    init(_ connection: PostgresConnection) {
        self.connection = connection
    }

    func run() async throws -> (violations: [Violation], lines: Int) {
        let steps = try await steps()
        let wrong = steps.compactMap { step in step.complaint.map { (step, $0) } }
        var violations: [Violation] = []
        for (step, complaint) in wrong {
            for saga in try await sagas(taking: step) {
                violations.append(Violation(.journalsReplay, saga: saga, complaint))
            }
        }
        violations += try await ends()
        violations += try await lessons()
        return (violations, steps.reduce(0) { $0 + $1.count })
    }

    // MARK: - Steps

    /// Each journal line beside the one before it; an input that only teaches counts without what it taught.
    private static let lines = """
        SELECT saga_id, from_state, to_state, detail, effects,
            lag(detail) OVER journal AS previous,
            CASE WHEN input_name = ANY($1) THEN input_name ELSE input END AS decisive, input,
            version = coalesce(lag(version) OVER journal, 0) + 1 AS is_next,
            coalesce(step = CASE WHEN from_state IS DISTINCT FROM to_state THEN version ELSE lag(step) OVER journal END,
                false) AS is_step_kept
        FROM saga_step WINDOW journal AS (PARTITION BY saga_id ORDER BY version)
        """

    private func steps() async throws -> [StepGroup] {
        try await connection.query(
            """
            SELECT previous, min(input), decisive, from_state, to_state, detail, effects, is_next, is_step_kept, count(*)
            FROM (\(Self.lines)) AS line
            GROUP BY previous, decisive, from_state, to_state, detail, effects, is_next, is_step_kept
            """,
            [Saga.lessons], as: StepGroup.Columns.self
        ).map(StepGroup.init)
    }

    private func sagas(taking step: StepGroup) async throws -> [SagaID] {
        try await connection.query(
            """
            SELECT DISTINCT saga_id FROM (\(Self.lines)) AS line
            WHERE (previous, decisive, from_state, to_state, detail, effects, is_next, is_step_kept)
                IS NOT DISTINCT FROM ($2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::bool, $9::bool)
            LIMIT \(VerificationReport.shown * 10)
            """,
            [
                Saga.lessons, step.previous, step.decisive, step.from, step.to, step.detail, step.effects, step.isNext,
                step.isStepKept,
            ], as: (UUID).self
        ).map { SagaID($0) }
    }

    // MARK: - Ends

    /// Compares each saga with the last line of its journal.
    private func ends() async throws -> [Violation] {
        try await connection.query(
            """
            SELECT coalesce(saga.id, last.saga_id), saga.version, saga.step, saga.state, saga.detail, last.version,
                last.step, last.detail
            FROM (SELECT * FROM saga WHERE kind = '\(Saga.kind)') AS saga FULL JOIN (
                SELECT DISTINCT ON (saga_id) saga_id, version, step, detail
                FROM saga_step ORDER BY saga_id DESC, version DESC
            ) AS last ON last.saga_id = saga.id
            WHERE (saga.version, saga.step, saga.detail) IS DISTINCT FROM (last.version, last.step, last.detail)
                OR strpos(saga.detail, '"' || saga.state || '"') = 0
            """,
            as: (UUID, Int?, Int?, String?, String?, Int?, Int?, String?).self
        ).compactMap { id, version, step, tag, detail, lastVersion, lastStep, lastDetail in
            let saga = SagaID(id)
            guard let version, let step, let tag, let detail else {
                return Violation(.nothingIsLost, saga: saga, "its journal is there and it is not")
            }
            guard let lastVersion, let lastStep, let lastDetail else {
                return Violation(.journalsReplay, saga: saga, "it has no journal")
            }
            let state = try WireFormat.decode(Saga.State.self, fromText: detail)
            let journaled = try WireFormat.decode(Saga.State.self, fromText: lastDetail)
            if (version, step) == (lastVersion, lastStep), state == journaled, state.tag == tag { return nil }
            return Violation(
                .journalsReplay, saga: saga,
                "it stands in \(tag) (\(detail)) at version \(version), step \(step); its journal ends in \(lastDetail) "
                    + "at version \(lastVersion), step \(lastStep)")
        }
    }

    // MARK: - Facts

    /// Replays the sagas whose facts are not plainly what their inputs taught.
    private func lessons() async throws -> [Violation] {
        let suspects = try await connection.query(
            """
            SELECT DISTINCT saga.id FROM saga JOIN saga_step ON saga_step.saga_id = saga.id
            WHERE saga.kind = '\(Saga.kind)' AND input_name = ANY($1)
                AND saga.facts::jsonb || (input::jsonb -> input_name) <> saga.facts::jsonb
            UNION
            SELECT id FROM saga WHERE kind = '\(Saga.kind)' AND facts::jsonb <> $2::jsonb
                AND NOT EXISTS (SELECT FROM saga_step WHERE saga_id = id AND input_name = ANY($1))
            LIMIT 10000
            """,
            [Saga.lessons, JSONB(try WireFormat.encode(Saga.noFacts))], as: (UUID).self)
        guard !suspects.isEmpty else { return [] }
        let rows = try await connection.query(
            """
            SELECT saga.id, saga.facts, saga_step.input FROM saga JOIN saga_step ON saga_step.saga_id = saga.id
            WHERE saga.id = ANY($1) ORDER BY saga.id, saga_step.version
            """, [suspects], as: (UUID, String, String).self)
        return Dictionary(grouping: rows, by: \.0).compactMap { id, lines in
            do {
                guard try Self.learnt(lines.map(\.2)) != WireFormat.decode(Saga.Facts.self, fromText: lines[0].1)
                else { return nil }
                return Violation(
                    .journalsReplay, saga: SagaID(id), "it knows \(lines[0].1), and its inputs taught something else")
            } catch {
                return Violation(.journalsReplay, saga: SagaID(id), "what it learnt cannot be read: \(error)")
            }
        }
    }

    private static func learnt(_ inputs: [String]) throws -> Saga.Facts {
        var facts = Saga.noFacts
        for input in inputs { Saga.learn(try WireFormat.decode(Saga.Input.self, fromText: input), into: &facts) }
        return facts
    }
}
