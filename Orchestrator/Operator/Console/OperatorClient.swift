import ArgumentParser
import AsyncHTTPClient
import Contracts
import Foundation
import NIOCore
import NIOFoundationEssentialsCompat

/// Where the orchestrator is, and how its answers are shown.
struct Connection: ParsableArguments {
    @Option(help: "The orchestrator's address; else TURNSTILE_URL, else what .run/env says.")
    var url: String?

    @Flag(help: "Print the answer as JSON, for scripts.")
    var json = false

    var client: OperatorClient { OperatorClient(Surroundings(), url: url) }

    /// Prints an answer: as it came for scripts, else the lines that `render` makes of it.
    func show<Answer: Decodable>(_ data: Data, as type: Answer.Type, _ render: (Answer) -> [String]) throws {
        guard !json else { return Terminal.show(json: data) }
        for line in render(try WireFormat.decode(type, from: data)) { Terminal.show(line) }
    }
}

/// Asks the orchestrator over HTTP, as an operator.
struct OperatorClient: Sendable {
    private let base: String
    private let key: String?

    init(_ surroundings: Surroundings, url: String?) {
        base = url ?? surroundings["TURNSTILE_URL"] ?? "http://127.0.0.1:8080"
        key = surroundings["OPERATOR_KEY"]
    }

    /// - Throws: `Refusal` with the problem's own words, or with what to do when nobody answers.
    func call(
        _ method: String, _ path: String, body: Data? = nil, headers: [(name: String, value: String)] = []
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
        do {
            response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        } catch {
            throw Refusal("no answer from \(base) (\(error)); is the orchestrator running, and is TURNSTILE_URL right?")
        }
        let data = Data(buffer: try await response.body.collect(upTo: 64 << 20))
        guard response.status.code < 400 else { throw Refusal(Int(response.status.code), data) }
        return data
    }

    func get(_ path: String, _ query: [(String, String?)] = []) async throws -> Data {
        var parts = URLComponents()
        parts.queryItems = query.compactMap { name, value in value.map { URLQueryItem(name: name, value: $0) } }
        let text = parts.percentEncodedQuery.map { $0.isEmpty ? "" : "?" + $0 } ?? ""
        return try await call("GET", path + text)
    }

    func post(_ path: String, _ body: some Encodable) async throws -> Data {
        try await call("POST", path, body: try WireFormat.encode(body))
    }
}

/// What the orchestrator, or the way to it, had against a request.
struct Refusal: Error, CustomStringConvertible {
    let description: String

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
    }
}

/// The environment, and behind it the `.run/env` that `compose/dev up` wrote in this folder or one above.
struct Surroundings: Sendable {
    private let written: [String: String]

    init(from folder: String = FileManager.default.currentDirectoryPath) {
        written = Self.nearest(folder)
    }

    subscript(name: String) -> String? {
        let own = ProcessInfo.processInfo.environment[name]
        return own.flatMap { $0.isEmpty ? nil : $0 } ?? written[name]
    }

    private static func nearest(_ folder: String) -> [String: String] {
        var place = URL(filePath: folder)
        while true {
            let file = place.appending(path: ".run/env")
            if let data = FileManager.default.contents(atPath: file.path) { return read(data) }
            guard place.pathComponents.count > 1 else { return [:] }
            place.deleteLastPathComponent()
        }
    }

    /// Lines of the form `export NAME='value'`.
    static func read(_ data: Data) -> [String: String] {
        var values: [String: String] = [:]
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") where line.hasPrefix("export ") {
            let parts = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            values[String(parts[0])] = String(parts[1].drop { $0 == "'" }.prefix { $0 != "'" })
        }
        return values
    }
}
