import FoundationEssentials
import WireJSON

/// Reads a request's body, and says of a wrong one what is wrong and where.
package enum StrictBody {
    /// - Throws: `Problem`: `malformed-body` when it is no JSON object, `invalid` when a field does not fit.
    package static func read<Body: Decodable>(_ type: Body.Type, from data: Data, fields: FieldTree) throws(Problem)
        -> Body
    {
        let text: JSONText
        do {
            text = try JSONText(data)
        } catch {
            throw Problem(.malformedBody, "the body is not well-formed JSON in UTF-8: \(error)")
        }
        guard text.isObject else { throw Problem(.malformedBody, "the body must be a JSON object") }
        var inspection = Inspection()
        fields.inspect(text, into: &inspection)
        try inspection.finish()
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
            Problem.Mistake(pointer: pointer(context.codingPath + [key]), detail: words(for: error))
        case .valueNotFound(_, let context), .typeMismatch(_, let context), .dataCorrupted(let context):
            Problem.Mistake(pointer: pointer(context.codingPath), detail: words(for: error))
        @unknown default: Problem.Mistake(pointer: "", detail: words(for: error))
        }
    }

    /// What is wrong with a value, without saying where it stands.
    static func words(for error: DecodingError) -> String {
        switch error {
        case .keyNotFound: "is required"
        case .valueNotFound: "must not be null"
        case .typeMismatch(let type, _): "must be \(word(for: type))"
        case .dataCorrupted(let context): short(context.debugDescription)
        @unknown default: "cannot be read"
        }
    }

    private static func pointer(_ path: [any CodingKey]) -> String {
        path.map { "/" + ($0.intValue.map(String.init) ?? escaped($0.stringValue)) }.joined()
    }

    /// A name within a pointer (RFC 6901); what is longer than any name of ours is cut.
    static func escaped(_ name: String) -> String {
        short(name).replacing("~", with: "~0").replacing("/", with: "~1")
    }

    private static func short(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(Limits.textLength + 1)
        guard scalars.count > Limits.textLength else { return text }
        return String(String.UnicodeScalarView(scalars.dropLast())) + "…"
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

extension Problem {
    package static func invalid(_ mistakes: [Mistake]) -> Problem {
        let first = mistakes.first.map { "\($0.pointer) \($0.detail)" } ?? "the request breaks a rule"
        return Problem(.invalid, first, errors: mistakes)
    }
}
