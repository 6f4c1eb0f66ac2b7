import Connections
import Foundation
import Logging
import RabbitMQ
import TestKit

/// The broker behind the proxies: its management API, and connections of the suite's own.
struct Broker: Sendable {
    struct Count: Sendable { let connections: Int, channels: Int }

    let place: Place
    let web: Web
    let logger: Logger

    var configuration: BrokerConfiguration {
        get throws { try BrokerConfiguration(url: place.brokerURL, connectionName: "faults") }
    }

    @discardableResult
    func management(_ method: String, _ path: String, _ body: String? = nil) async throws -> Web.Answer {
        guard var parts = URLComponents(string: place.managementURL) else { throw Trouble("no management URL") }
        let credentials = Data("\(parts.user ?? ""):\(parts.password ?? "")".utf8).base64EncodedString()
        parts.user = nil
        parts.password = nil
        let answer = try await web.call(
            method, (parts.string ?? "") + "/api" + path, body: body.map { Data($0.utf8) },
            headers: ["Authorization": "Basic \(credentials)"])
        guard (200..<300).contains(answer.status) else {
            throw Trouble("\(method) \(path): \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
        }
        return answer
    }

    private func list(_ path: String) async throws -> [[String: Any]] {
        try JSONSerialization.jsonObject(with: try await management("GET", path).body) as? [[String: Any]] ?? []
    }

    /// The fleet's connections and channels, by what the broker shows every few seconds.
    func count() async throws -> Count {
        let connections = try await list("/connections")
        let names = connections.filter { Self.isOurs($0) }
        return Count(
            connections: names.count, channels: names.reduce(0) { $0 + ($1["channels"] as? Int ?? 0) })
    }

    private static func isOurs(_ connection: [String: Any]) -> Bool {
        let properties = connection["client_properties"] as? [String: Any]
        return (properties?["connection_name"] as? String)?.hasPrefix("turnstile ") ?? false
    }

    func closeAllConnections() async throws -> Int {
        let names = try await list("/connections").filter(Self.isOurs).compactMap { $0["name"] as? String }
        for name in names {
            guard let path = name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) else { continue }
            do {
                try await management("DELETE", "/connections/\(path)")
            } catch let trouble as Trouble where trouble.description.contains(": 404") {
                continue
            }
        }
        return names.count
    }

    /// Messages in a queue now, ready or under way, asked of the queue itself.
    func depth(of queue: String) async throws -> Int {
        try await administrator { try await $0.checkQueue(queue).messages }
    }

    func administrator<R: Sendable>(_ body: (Administrator) async throws -> R) async throws -> R {
        try await Administrator(try configuration, logger: logger).lent { administrator in
            try await administrator.open()
            return try await body(administrator)
        }
    }

    func publish(_ publications: [Publication]) async throws {
        let publisher = Publisher(try configuration, logger: logger)
        try await publisher.open()
        do {
            for start in stride(from: 0, to: publications.count, by: 500) {
                _ = try await publisher.publish(Array(publications[start..<min(start + 500, publications.count)]))
            }
        } catch {
            await publisher.close()
            throw error
        }
        await publisher.close()
    }

    /// Declares the topology anew, with the operators' own command.
    func applyTopology() async throws {
        try await Command.run(
            place.program("turnstile").path, ["topology", "apply"], environment: ["AMQP_URL": place.brokerURL])
    }
}
