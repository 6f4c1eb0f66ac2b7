import Contracts
import FoundationEssentials
import Postgres
import SagaCore
import WireJSON

/// Whether every journal, replayed through the pure transition function, gives the stored saga.
///
/// Journals that ran straight, nearly all of them, prove themselves together (`JournalDigest`). The lines of the others
/// are laid beside the ones before them, grouped by what they say, and each group is replayed once. What a saga learnt
/// is compared in the database; where the texts differ, the saga's whole journal is replayed here.
struct JournalCheck {
    private typealias Saga = PurchaseSaga

    private let connection: PostgresConnection
    private let options: Verifier.Options

    init(_ connection: PostgresConnection, options: Verifier.Options) {
        self.connection = connection
        self.options = options
    }

    func run() async throws -> (violations: [Violation], lines: Int) {
        var violations: [Violation] = []
        var lines = 0
        try await SagaRanges(connection: connection, length: options.page).forEach { range in
            let digest = try await JournalDigest(connection, of: range, options: options)
            let selection = digest.isSound ? .some(digest.others) : range
            let steps = try await steps(selection)
            violations += try await wrongSteps(among: steps, selection) + ends(selection) + lessons(range)
            lines += steps.reduce(digest.isSound ? digest.lines : 0) { $0 + $1.count }
        }
        return (violations, lines)
    }

    // MARK: - Steps

    /// Each journal line beside the one before it; an input that only teaches counts without what it taught.
    private static func lines(_ selection: SagaSelection) -> String {
        """
        SELECT saga_id, from_state, to_state, detail, effects,
            lag(detail) OVER journal AS previous,
            CASE WHEN input_name = ANY($1) THEN input_name ELSE input END AS decisive, input,
            version = coalesce(lag(version) OVER journal, 0) + 1 AS is_next,
            coalesce(step = CASE WHEN from_state IS DISTINCT FROM to_state THEN version ELSE lag(step) OVER journal END,
                false) AS is_step_kept,
            \(StepGroup.namedCondition) AS is_named
        FROM saga_step WHERE \(selection.condition(on: "saga_id", after: 1))
        WINDOW journal AS (PARTITION BY saga_id ORDER BY version)
        """
    }

    private func steps(_ selection: SagaSelection) async throws -> [StepGroup] {
        try await connection.query(
            """
            SELECT previous, min(input), decisive, from_state, to_state, detail, effects, is_next, is_step_kept,
                is_named, count(*)
            FROM (\(Self.lines(selection))) AS line
            GROUP BY previous, decisive, from_state, to_state, detail, effects, is_next, is_step_kept, is_named
            """,
            [Saga.lessons] + selection.parameters, as: StepGroup.Columns.self
        ).map(StepGroup.init)
    }

    private func wrongSteps(among steps: [StepGroup], _ selection: SagaSelection) async throws -> [Violation] {
        var violations: [Violation] = []
        for step in steps {
            guard let complaint = step.complaint else { continue }
            violations += try await sagas(taking: step, selection).map {
                Violation(.journalsReplay, saga: $0, complaint)
            }
        }
        return violations
    }

    private func sagas(taking group: StepGroup, _ selection: SagaSelection) async throws -> [SagaID] {
        let first = selection.parameters.count + 2
        let step = (0..<9).map { "$\(first + $0)::\($0 < 6 ? "text" : "bool")" }.joined(separator: ", ")
        return try await connection.query(
            """
            SELECT DISTINCT saga_id FROM (\(Self.lines(selection))) AS line
            WHERE (previous, decisive, from_state, to_state, detail, effects, is_next, is_step_kept, is_named)
                IS NOT DISTINCT FROM (\(step))
            LIMIT \(VerificationReport.shown * 10)
            """,
            [Saga.lessons] + selection.parameters + group.parameters, as: (UUID).self
        ).map { SagaID($0) }
    }

    // MARK: - Ends

    /// Compares each saga with the last line of its journal.
    private func ends(_ selection: SagaSelection) async throws -> [Violation] {
        try await connection.query(
            """
            SELECT coalesce(saga.id, last.saga_id), saga.version, saga.step, saga.state, saga.detail, last.version,
                last.step, last.detail
            FROM (
                SELECT * FROM saga WHERE kind = '\(Saga.kind)' AND \(selection.condition(on: "id"))
            ) AS saga FULL JOIN (
                SELECT DISTINCT ON (saga_id) saga_id, version, step, detail
                FROM saga_step WHERE \(selection.condition(on: "saga_id")) ORDER BY saga_id DESC, version DESC
            ) AS last ON last.saga_id = saga.id
            WHERE (saga.version, saga.step, saga.detail) IS DISTINCT FROM (last.version, last.step, last.detail)
                OR strpos(saga.detail, '"' || saga.state || '"') = 0
            """,
            selection.parameters, as: (UUID, Int?, Int?, String?, String?, Int?, Int?, String?).self
        ).compactMap { id, version, step, tag, detail, lastVersion, lastStep, lastDetail in
            let saga = SagaID(id)
            guard let version, let step, let tag, let detail else {
                return Violation(.nothingIsLost, saga: saga, "its journal is there and it is not")
            }
            guard let lastVersion, let lastStep, let lastDetail else {
                return Violation(.journalsReplay, saga: saga, "it has no journal")
            }
            if (version, step) == (lastVersion, lastStep), Self.areOne(detail, lastDetail, tag) { return nil }
            return Violation(
                .journalsReplay, saga: saga,
                "it stands in \(tag) (\(detail)) at version \(version), step \(step); its journal ends in \(lastDetail) "
                    + "at version \(lastVersion), step \(lastStep)")
        }
    }

    /// Whether two texts are the same state of this tag; what cannot be read is none.
    private static func areOne(_ detail: String, _ other: String, _ tag: String) -> Bool {
        do {
            let state = try WireFormat.decode(Saga.State.self, fromText: detail)
            return try state == WireFormat.decode(Saga.State.self, fromText: other) && state.tag == tag
        } catch {
            return false
        }
    }

    // MARK: - Facts

    /// Replays the sagas whose facts are not plainly what their inputs taught.
    ///
    /// Both are written with their keys in order, so what an input taught stands in the facts letter by letter, but for
    /// seldom cases in which both are parsed. Inside a JSON text nothing else looks like `"key":`, for quotes within
    /// strings are escaped.
    private func lessons(_ selection: SagaSelection) async throws -> [Violation] {
        let suspects = try await connection.query(
            """
            SELECT DISTINCT saga.id FROM saga LEFT JOIN (
                SELECT saga_id, input_name, input FROM saga_step
                WHERE input_name = ANY($1) AND \(selection.condition(on: "saga_id", after: 2))
            ) AS lesson ON lesson.saga_id = saga.id
            WHERE saga.kind = '\(Saga.kind)' AND \(selection.condition(on: "saga.id", after: 2))
                AND CASE
                    WHEN lesson.saga_id IS NULL THEN facts <> $2
                    WHEN strpos(facts, substr(
                        input, length(input_name) + 6, length(input) - length(input_name) - 7)) > 0 THEN false
                    ELSE coalesce(
                        readable_json(facts) || (readable_json(input) -> input_name) <> readable_json(facts), true) END
            LIMIT 10000
            """,
            [Saga.lessons, try WireFormat.canonicalText(Saga.noFacts)] + selection.parameters,
            as: (UUID).self)
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
