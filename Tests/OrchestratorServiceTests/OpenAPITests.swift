import Configuration
import FleetRuntime
import Foundation
import Hosting
import Logging
import OrchestratorService
import Testing
import WebAPI

/// The description of the HTTP routes that others build upon.
struct `The OpenAPI document` {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")

    @Test func `names every route that the code serves, and no other`() throws {
        let documented = try Self.documentedRoutes()
        let served = try Self.servedRoutes()
        #expect(served.subtracting(documented).sorted() == [], "served and not documented")
        #expect(documented.subtracting(served).sorted() == [], "documented and not served")
        #expect(served.count > 25)
    }

    /// `get /events/{id}`, by the indentation of the document.
    private static func documentedRoutes() throws -> Set<String> {
        let text = try String(contentsOf: root.appending(path: "Contracts/openapi.yaml"), encoding: .utf8)
        var routes: Set<String> = []
        var path = ""
        for line in text.split(separator: "\n") {
            if line == "components:" { break }
            if line.hasPrefix("  /"), line.hasSuffix(":") { path = String(line.dropFirst(2).dropLast()) }
            if let method = line.wholeMatch(of: #/    (get|post|put|patch|delete):/#)?.1 {
                routes.insert("\(method) \(path)")
            }
        }
        return routes
    }

    /// What the orchestrator's own router takes; nothing is connected for that.
    private static func servedRoutes() throws -> Set<String> {
        let settings = try Settings(ConfigReader(provider: EnvironmentVariablesProvider(environmentVariables: [:])))
        let fleet = Fleet(settings: settings, health: HealthRegistry(), logger: Logger(label: "test"))
        let server = try #require(OrchestratorService.services(fleet).compactMap { $0 as? HTTPServer }.first)
        return Set(server.routes)
    }
}
