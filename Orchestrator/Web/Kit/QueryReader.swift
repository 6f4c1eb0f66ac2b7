import Contracts
import Hummingbird
import WireJSON

/// Reads a request's query, and says which parameter is wrong.
package struct QueryReader {
    private let request: Request

    package init(_ request: Request) {
        self.request = request
    }

    package func text(_ name: String) throws(Problem) -> String? {
        let text = request.uri.queryParameters.get(name)
        guard text.map(TextRule.permits) ?? true else { throw wrong(name, TextRule.demand) }
        return text
    }

    package func limit() throws(Problem) -> Int {
        guard let text = try text("limit") else { return 50 }
        guard let limit = Int(text), Limits.pageSize.contains(limit) else {
            throw wrong("limit", "must be from \(Limits.pageSize.lowerBound) to \(Limits.pageSize.upperBound)")
        }
        return limit
    }

    package func identifier<ID: Identifier>(_ name: String) throws(Problem) -> ID? {
        guard let text = try text(name) else { return nil }
        guard let id = ID(text) else { throw wrong(name, "is not an id of this kind") }
        return id
    }

    package func choice(_ name: String, among choices: [String]) throws(Problem) -> String? {
        guard let text = try text(name) else { return nil }
        guard choices.contains(text) else { throw wrong(name, "must be one of \(choices.joined(separator: ", "))") }
        return text
    }

    package func number(_ name: String, in range: ClosedRange<Double>) throws(Problem) -> Double {
        guard let number = try text(name).flatMap({ Double($0) }), range.contains(number) else {
            throw wrong(name, "is required, a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    private func wrong(_ name: String, _ detail: String) -> Problem {
        Problem(.invalid, "\(name) \(detail)", errors: [.init(pointer: "?\(name)", detail: detail)])
    }
}
