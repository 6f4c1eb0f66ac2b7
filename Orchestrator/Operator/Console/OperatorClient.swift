import ArgumentParser
import Connections
import Contracts
import Curl
import FleetInspection
import FleetRuntime
import Foundation
import Hosting
import RabbitMQ
import WireJSON

/// Where the orchestrator is, and how its answers are shown.
struct Connection: ParsableArguments {
    @Option(help: "The orchestrator's address; else TURNSTILE_URL, else what .run/env says.")
    var url: String?

    @Flag(help: "Print the answer as JSON, for scripts.")
    var json = false

    var client: OperatorClient { OperatorClient(.here, url: url) }

    /// Prints an answer: as it came for scripts, else the lines that `render` makes of it.
    func show<Answer: Decodable>(_ data: Data, as type: Answer.Type, _ render: (Answer) -> [String]) throws {
        guard !json else { return Terminal.show(json: data) }
        for line in render(try decode(type, from: data)) { Terminal.show(line) }
    }

    private func decode<Answer: Decodable>(_ type: Answer.Type, from data: Data) throws -> Answer {
        do {
            return try WireFormat.decode(type, from: data)
        } catch is DecodingError {
            throw Refusal(
                "the orchestrator answers in a form that turnstile \(Release.version) does not know; use the turnstile of its "
                    + "own version, or --json")
        }
    }
}

/// Asks the orchestrator over HTTP, as an operator.
struct OperatorClient: Sendable {
    /// Where it is.
    let base: String
    private let key: String?

    init(_ surroundings: Surroundings, url: String?) {
        base = url ?? surroundings["TURNSTILE_URL"] ?? "http://127.0.0.1:8080"
        key = surroundings["OPERATOR_KEY"]
    }

    /// - Parameter limit: how long the answer may take; that nobody is there is known much sooner.
    /// - Throws: `Refusal` with the problem's own words, or with what to do when nobody answers.
    func call(
        _ method: String, _ path: String, body: Data? = nil, headers: [(name: String, value: String)] = [],
        within limit: Duration = .seconds(60)
    ) async throws -> Data {
        var request = CurlRequest.prompt(method, base + path, within: limit)
        request.bodyLimit = 64 << 20
        if let key { request.headers["Authorization"] = "Bearer \(key)" }
        for (name, value) in headers { request.headers.add(name, value) }
        if let body {
            request.headers["Content-Type"] = "application/json"
            request.body = body
        }
        let response: CurlResponse
        do throws(CurlError) {
            response = try await CurlClient.prompt.send(request)
        } catch {
            throw Refusal(
                "cannot reach the orchestrator at \(base): \(plainReason(of: error)); start it (compose/dev start "
                    + "orchestrator) or set TURNSTILE_URL; turnstile doctor looks at the servers itself")
        }
        guard response.status < 400 else { throw Refusal(response.status, response.body) }
        return response.body
    }

    func get(
        _ path: String, _ query: [(String, String?)] = [], within limit: Duration = .seconds(60)
    ) async throws -> Data {
        var parts = URLComponents()
        parts.queryItems = query.compactMap { name, value in value.map { URLQueryItem(name: name, value: $0) } }
        let text = parts.percentEncodedQuery.map { $0.isEmpty ? "" : "?" + $0 } ?? ""
        return try await call("GET", path + text, within: limit)
    }

    func post(_ path: String, _ body: some Encodable) async throws -> Data {
        try await call("POST", path, body: try WireFormat.encode(body))
    }
}

/// What the orchestrator, or the way to it, had against a request.
struct Refusal: Error, CustomStringConvertible {
    let description: String
    /// The answer's status; nil when there was none.
    private(set) var status: Int?

    /// - Parameter description: may quote what came from outside.
    init(_ description: String) { self.description = VisibleText.escaped(description) }

    init(_ status: Int, _ body: Data) {
        do {
            let problem = try WireFormat.decode(Problem.self, from: body)
            let advice = status == 401 ? "; set OPERATOR_KEY, or source .run/env" : ""
            self.init("\(problem.code.rawValue): \(problem.detail)\(advice)")
        } catch {
            self.init("the orchestrator answered \(status): \(String(decoding: body.prefix(300), as: UTF8.self))")
        }
        self.status = status
    }
}
