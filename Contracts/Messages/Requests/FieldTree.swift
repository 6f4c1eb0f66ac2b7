import WireJSON

/// The fields that a body may have and those that it must have; whatever else is in it is a mistake.
package indirect enum FieldTree: Sendable {
    /// Anything.
    case value
    /// A value that must be readable as some type.
    case checked(@Sendable (JSONText, Int) throws -> Void)
    case list(FieldTree)
    /// - Parameters:
    ///   - required: fields that must be there and not null.
    ///   - alternatives: fields of which one must be there and not null.
    case object([String: FieldTree], required: Set<String> = [], alternatives: [String] = [])

    /// A value that must be readable as this type.
    package static func of<Value: Decodable & SendableMetatype>(_ type: Value.Type) -> FieldTree {
        .checked { text, index in _ = try text.value(type, at: index) }
    }

    /// Notes the mistakes of a value, as many as the inspection takes.
    package func inspect(
        _ text: JSONText, at index: Int = 0, into inspection: inout Inspection, _ place: () -> String = { "" }
    ) {
        if text.isForbiddenText(at: index) { return inspection.note(place(), TextRule.demand) }
        switch self {
        case .value: break
        case .checked(let check):
            do {
                try check(text, index)
            } catch let error as DecodingError {
                inspection.note(place(), StrictBody.words(for: error))
            } catch {
                inspection.note(place(), "cannot be read")
            }
        case .list(let field): inspectList(of: field, text, index, place, &inspection)
        case .object(let fields, let required, let alternatives):
            inspectObject(fields, required, alternatives, text, index, place, &inspection)
        }
    }

    private func inspectList(
        of field: FieldTree, _ text: JSONText, _ index: Int, _ place: () -> String, _ inspection: inout Inspection
    ) {
        guard text.isArray(at: index) else { return inspection.note(place(), "must be an array") }
        text.forEachElement(of: index) { number, element in
            field.inspect(text, at: element, into: &inspection) { "\(place())/\(number)" }
            return !inspection.isFull
        }
    }

    private func inspectObject(
        _ fields: [String: FieldTree], _ required: Set<String>, _ alternatives: [String],
        _ text: JSONText, _ index: Int, _ place: () -> String, _ inspection: inout Inspection
    ) {
        guard text.isObject(at: index) else { return inspection.note(place(), "must be an object") }
        var seen: Set<String> = []
        var given: Set<String> = []
        text.forEachMember(of: index) { name, member in
            func here() -> String { "\(place())/\(StrictBody.escaped(name))" }
            if let field = fields[name] {
                if !seen.insert(name).inserted {
                    // Which of two values is meant nobody can know.
                    inspection.note(here(), "must not come twice")
                } else if !text.isNull(at: member) {
                    given.insert(name)
                    field.inspect(text, at: member, into: &inspection, here)
                }
            } else {
                inspection.note(here(), "is not a field of this request")
            }
            return !inspection.isFull
        }
        for name in required.subtracting(given).sorted() {
            inspection.note("\(place())/\(name)", seen.contains(name) ? "must not be null" : "is required")
        }
        if let first = alternatives.first, given.isDisjoint(with: alternatives) {
            let others = alternatives.dropFirst().joined(separator: " or ")
            inspection.note("\(place())/\(first)", "is required unless \(others) are named")
        }
    }
}

/// Gathers what breaks a rule, each with its place, and has enough after a few: nobody reads a million mistakes.
package struct Inspection {
    /// The most mistakes that are named.
    package static let limit = 20

    package private(set) var mistakes: [Problem.Mistake] = []

    package init() {}

    /// Whether looking for more is of no use.
    package var isFull: Bool { mistakes.count >= Self.limit }

    package mutating func note(_ pointer: String, _ detail: String) {
        if !isFull { mistakes.append(Problem.Mistake(pointer: pointer, detail: detail)) }
    }

    package mutating func require(
        _ condition: Bool, _ pointer: @autoclosure () -> String, _ detail: @autoclosure () -> String
    ) {
        if !condition, !isFull { note(pointer(), detail()) }
    }

    package func finish() throws(Problem) {
        guard mistakes.isEmpty else { throw .invalid(mistakes) }
    }
}
