import ArgumentParser
import AsyncHTTPClient
import Connections
import Contracts
import FleetInspection
import Foundation
import Hosting
import NIOCore
import NIOFoundationEssentialsCompat
import NIOHTTP1
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
        within limit: TimeAmount = .seconds(60)
    ) async throws -> Data {
        var request = HTTPClientRequest(url: base + path)
        request.method = .init(rawValue: method)
        if let key { request.headers.add(name: "Authorization", value: "Bearer \(key)") }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(data: body))
        }
        let response: HTTPClientResponse
        let data: Data
        do {
            response = try await HTTPClient.prompt.execute(request, timeout: limit)
            data = Data(buffer: try await response.body.collect(upTo: 64 << 20))
        } catch {
            throw Refusal(
                "cannot reach the orchestrator at \(base): \(plainReason(of: error)); start it (compose/dev start "
                    + "orchestrator) or set TURNSTILE_URL; turnstile doctor looks at the servers itself")
        }
        guard response.status.code < 400 else { throw Refusal(Int(response.status.code), data) }
        return data
    }

    func get(
        _ path: String, _ query: [(String, String?)] = [], within limit: TimeAmount = .seconds(60)
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
