import Contracts
import Postgres
import SagaCore
import WireJSON

/// Journal lines that say the same: the same input in the same state, with the same consequences.
struct StepGroup {
    typealias Columns = (String?, String, String, String?, String, String, String, Bool, Bool, Bool, Int)

    let previous: String?
    /// One of the inputs, as an example of those that only teach.
    let input: String
    let decisive: String
    let from: String?
    let to: String
    let detail: String
    let effects: String
    let isNext: Bool
    let isStepKept: Bool
    /// Whether the input is called what it is.
    let isNamed: Bool
    let count: Int

    init(_ row: Columns) {
        previous = row.0
        input = row.1
        decisive = row.2
        from = row.3
        to = row.4
        detail = row.5
        effects = row.6
        isNext = row.7
        isStepKept = row.8
        isNamed = row.9
        count = row.10
    }

    /// What makes it another step than the rest.
    var parameters: [any PostgresEncodable] {
        [previous, decisive, from, to, detail, effects, isNext, isStepKept, isNamed]
    }

    /// `isNamed` in SQL: an input is written as an object whose one key is its case.
    static let namedCondition = """
        CASE WHEN strpos(input_name, '-') = 0 THEN starts_with(input, '{"' || input_name || '":')
            ELSE starts_with(input, '{"' || left(input_name, 1)
                || substr(replace(initcap(input_name), '-', ''), 2) || '":') END
        """

    /// What is wrong with the step, replayed; nil when it is right.
    var complaint: String? {
        guard isNext else { return "its journal has a gap before \(from ?? "the start") -> \(to)" }
        guard isStepKept else { return "its journal counts steps wrongly at \(from ?? "the start") -> \(to)" }
        do {
            if let complaint = try replay() { return complaint }
        } catch {
            return "its journal cannot be read at \(from ?? "the start") -> \(to): \(error)"
        }
        return isNamed ? nil : "its journal calls an input what it is not, at \(from ?? "the start") -> \(to)"
    }

    private func replay() throws -> String? {
        let before = try previous.map { try WireFormat.decode(PurchaseState.self, fromText: $0) }
        let after = try WireFormat.decode(PurchaseState.self, fromText: detail)
        let input = try WireFormat.decode(PurchaseInput.self, fromText: input)
        guard before?.tag == from, after.tag == to else {
            return
                "its journal says \(from ?? "the start") -> \(to), and the states are \(previous ?? "none") -> \(detail)"
        }
        let expected: (state: PurchaseState?, effects: [PurchaseEffect])
        switch PurchaseSaga.step(before, on: input) {
        case .move(let state, let effects): expected = (state, effects)
        case .stay(let effects): expected = (before, effects)
        case .ignore(let reason):
            return
                "its journal has \(input.name) in \(from ?? "the start"), which is to be ignored (\(reason.rawValue))"
        }
        guard expected.state == after else {
            return "its journal goes by \(input.name) to \(detail), and a replay to \(expected.state?.tag ?? "nothing")"
        }
        guard EffectList.text(expected.effects) == effects else {
            return "its journal has for \(input.name) the effects \"\(effects)\", and a replay "
                + "\"\(EffectList.text(expected.effects))\""
        }
        return nil
    }
}
