import Contracts
import FleetRuntime
import Foundation
import TestKit

/// A real Prometheus that scrapes a fleet's processes each second and knows our alert rules.
struct Prometheus: Sendable {
    private let address: String

    /// Starts one, lends it to `body`, and stops it.
    static func scraping(_ fleet: ProcessFleet, _ body: (Prometheus) async throws -> Void) async throws {
        let folder = fleet.folder.appending(path: "prometheus")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appending(path: "prometheus.yaml")
        try Data(configuration(of: fleet).utf8).write(to: file)
        let log = folder.appending(path: "log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let process = Process()
        process.executableURL = try Tool.url("prometheus")
        process.arguments = [
            "--config.file=\(file.path)", "--storage.tsdb.path=\(folder.path)/data",
            "--web.listen-address=127.0.0.1:0",
        ]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = try FileHandle(forWritingTo: log)
        try process.run()
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        var address = ""
        try await until("Prometheus serves") {
            let text = try String(contentsOf: log, encoding: .utf8)
            let match = text.firstMatch(of: #/msg="Listening on" address=(?<address>\S+)/#)
            address = match.map { String($0.output.address) } ?? ""
            return !address.isEmpty
        }
        let prometheus = Prometheus(address: address)
        try await until("Prometheus is ready") { try await fetch("http://\(address)/-/ready").status == 200 }
        try await body(prometheus)
    }

    private static func configuration(of fleet: ProcessFleet) -> String {
        let rules = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../compose/prometheus/alerts.yaml").standardized.path
        let targets = fleet.members.map { member in
            "      - { targets: ['\(member.address)'], labels: { role: \(member.name) } }"
        }
        return """
            global: { scrape_interval: 1s, evaluation_interval: 1s }
            rule_files: ['\(rules)']
            scrape_configs:
              - job_name: turnstile
                static_configs:
            \(targets.joined(separator: "\n"))

            """
    }

    /// The one value of a query; nil while it has none.
    func value(_ query: String) async throws -> Double? {
        var parts = URLComponents()
        parts.queryItems = [URLQueryItem(name: "query", value: query)]
        let encoded = (parts.percentEncodedQuery ?? "").replacing("+", with: "%2B")
        let answer = try await fetch("http://\(address)/api/v1/query?\(encoded)").decode(QueryAnswer.self)
        return answer.data.result.first.flatMap { Double($0.value.text) }
    }

    /// What Prometheus thinks of each of our rules.
    func ruleHealths() async throws -> [String] { try await rules().map(\.health) }

    /// The alerts that burn or are about to.
    func firing() async throws -> [String] {
        try await rules().filter { $0.state == "firing" }.map(\.name)
    }

    private func rules() async throws -> [RulesAnswer.Rule] {
        try await fetch("http://\(address)/api/v1/rules").decode(RulesAnswer.self).data.groups.flatMap(\.rules)
    }

    private struct QueryAnswer: Decodable {
        struct Answer: Decodable { let result: [Series] }
        struct Series: Decodable { let value: Point }

        /// A time and a number as text.
        struct Point: Decodable {
            let text: String

            init(from decoder: any Decoder) throws {
                var list = try decoder.unkeyedContainer()
                _ = try list.decode(Double.self)
                text = try list.decode(String.self)
            }
        }

        let data: Answer
    }

    private struct RulesAnswer: Decodable {
        struct Answer: Decodable { let groups: [Group] }
        struct Group: Decodable { let rules: [Rule] }

        struct Rule: Decodable {
            let name: String
            let health: String
            let state: String
        }

        let data: Answer
    }
}
