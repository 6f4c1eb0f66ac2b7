import Contracts
import FoundationEssentials

/// Reads a request's body, and says of a wrong one what is wrong and where.
enum StrictBody {
    /// - Throws: `Problem`: `malformed-body` when it is no JSON object, `invalid` when a field does not fit.
    static func read<Body: Decodable>(_ type: Body.Type, from data: Data, fields: FieldTree) throws(Problem) -> Body {
        let text: JSONText
        do {
            text = try JSONText(data)
        } catch {
            throw Problem(.malformedBody, "the body is not well-formed JSON in UTF-8: \(error)")
        }
        guard text.isObject else { throw Problem(.malformedBody, "the body must be a JSON object") }
        let mistakes = fields.mistakes(in: text)
        guard mistakes.isEmpty else { throw .invalid(mistakes) }
        do {
            return try text.decode(type)
        } catch let error as DecodingError {
            throw .invalid([mistake(in: error)])
        } catch {
            throw Problem(.malformedBody, "the body cannot be read")
        }
    }

    private static func mistake(in error: DecodingError) -> Problem.Mistake {
        switch error {
        case .keyNotFound(let key, let context):
            Problem.Mistake(pointer: pointer(context.codingPath + [key]), detail: "is required")
        case .valueNotFound(_, let context):
            Problem.Mistake(pointer: pointer(context.codingPath), detail: "must not be null")
        case .typeMismatch(let type, let context):
            Problem.Mistake(pointer: pointer(context.codingPath), detail: "must be \(word(for: type))")
        case .dataCorrupted(let context):
            Problem.Mistake(pointer: pointer(context.codingPath), detail: context.debugDescription)
        @unknown default:
            Problem.Mistake(pointer: "", detail: "cannot be read")
        }
    }

    private static func pointer(_ path: [any CodingKey]) -> String {
        path.map { "/" + ($0.intValue.map(String.init) ?? escaped($0.stringValue)) }.joined()
    }

    static func escaped(_ name: String) -> String {
        name.replacing("~", with: "~0").replacing("/", with: "~1")
    }

    private static func word(for type: Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Int.Type, is Int64.Type: "a whole number"
        case is Double.Type: "a number"
        case is [Any].Type: "an array"
        default: "of another type"
        }
    }
}

/// The fields a body may have; anything else in it is a mistake.
indirect enum FieldTree: Sendable {
    case value
    case list(FieldTree)
    case object([String: FieldTree])

    /// Whether something may be wrong with a value, so that its place must be told; most fields are quickly passed.
    private func isSuspicious(_ index: Int, of text: JSONText) -> Bool {
        if case .value = self { text.isForbiddenText(at: index) } else { true }
    }

    fileprivate func mistakes(in text: JSONText, at index: Int = 0, _ pointer: String = "") -> [Problem.Mistake] {
        switch self {
        case .value:
            return text.isForbiddenText(at: index) ? [Problem.Mistake(pointer: pointer, detail: TextRule.demand)] : []
        case .object(let fields):
            let members = text.members(of: index)
            return members.filter { fields[$0.key]?.isSuspicious($0.value, of: text) ?? true }
                .sorted { $0.key < $1.key }
                .flatMap { name, member in
                    let place = "\(pointer)/\(StrictBody.escaped(name))"
                    return fields[name]?.mistakes(in: text, at: member, place)
                        ?? [Problem.Mistake(pointer: place, detail: "is not a field of this request")]
                } + repeats(in: members.map(\.key), pointer)
        case .list(let field):
            return text.elements(of: index).enumerated().filter { field.isSuspicious($1, of: text) }
                .flatMap { field.mistakes(in: text, at: $1, "\(pointer)/\($0)") }
        }
    }

    /// Which of two values is meant nobody can know.
    private func repeats(in names: [String], _ pointer: String) -> [Problem.Mistake] {
        var seen: Set<String> = []
        return names.filter { !seen.insert($0).inserted }.map { name in
            Problem.Mistake(pointer: "\(pointer)/\(StrictBody.escaped(name))", detail: "must not come twice")
        }
    }
}

extension Problem {
    static func invalid(_ mistakes: [Mistake]) -> Problem {
        let first = mistakes.first.map { "\($0.pointer) \($0.detail)" } ?? "the request breaks a rule"
        return Problem(.invalid, first, errors: mistakes)
    }
}
