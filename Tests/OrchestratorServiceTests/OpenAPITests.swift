import Foundation
import Testing

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

    private static func servedRoutes() throws -> Set<String> {
        var routes: Set<String> = []
        for file in sources() {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: #/(router|ops)\.(get|post|put|patch|delete)\("([^"]+)"\)/#) {
                let path = match.3.split(separator: "/").map { $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0) }
                routes.insert("\(match.2) /\(((match.1 == "ops" ? ["ops"] : []) + path).joined(separator: "/"))")
            }
        }
        return routes
    }

    private static func sources() -> [URL] {
        ["Orchestrator/Service", "Workers/Runtime/Service"].flatMap { folder in
            let files = FileManager.default.enumerator(
                at: root.appending(path: folder), includingPropertiesForKeys: nil)
            return (files?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "swift" }
        }
    }
}
