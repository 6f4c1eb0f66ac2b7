import Postgres

/// The WHERE of a question: what was not asked for does not stand in it, so the planner sees the question as it is.
///
/// `$1 IS NULL OR id < $1` says the same, and once the statement is prepared for all values it reads every row.
package struct Conditions {
    private var terms: [String]
    package private(set) var parameters: [any PostgresEncodable] = []

    package init(_ always: String...) {
        terms = always
    }

    package var text: String { terms.joined(separator: " AND ") }

    /// Adds `left value`, such as `id < $2`; nothing for no value.
    package mutating func add<Value: PostgresEncodable>(_ left: String, _ value: Value?) {
        guard let value else { return }
        terms.append("\(left) \(parameter(value))")
    }

    package mutating func addAny<Value: PostgresEncodable>(_ left: String, _ values: Value?) {
        guard let values else { return }
        terms.append("\(left) = ANY(\(parameter(values)))")
    }

    package mutating func add(_ term: String) {
        terms.append(term)
    }

    /// A parameter beside the conditions, for LIMIT.
    package mutating func parameter(_ value: any PostgresEncodable) -> String {
        parameters.append(value)
        return "$\(parameters.count)"
    }
}
