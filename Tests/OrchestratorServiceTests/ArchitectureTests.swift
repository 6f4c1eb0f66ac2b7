import Foundation
import Testing

/// That a reader who follows the documents finds what they name.
@Suite struct `The architecture's page` {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    private static func words() throws -> [String] {
        let page = root.appending(path: "Orchestrator/Documentation/ARCHITECTURE.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        return text.matches(of: #/`([^`\n]+)`/#).map { String($0.1) }
    }

    @Test func `names folders and files that are there`() throws {
        let paths = try Self.words().filter { word in
            word.wholeMatch(of: #/(Contracts|Orchestrator|Workers|Tests|compose)(/[A-Za-z0-9_.+-]+)+/#) != nil
        }
        #expect(paths.count > 20)
        for path in paths {
            let place = Self.root.appending(path: path).path
            #expect(FileManager.default.fileExists(atPath: place), "\(path)")
        }
    }

    @Test func `names source files that are there, with or without their folder`() throws {
        let names = try Set(Self.words().filter { $0.hasSuffix(".swift") }.map { URL(filePath: $0).lastPathComponent })
        #expect(names.count > 10)
        var found = try Set(FileManager.default.contentsOfDirectory(atPath: Self.root.path))
        for folder in ["Contracts", "Orchestrator", "Workers", "Tests"] {
            let files = FileManager.default.enumerator(atPath: Self.root.appending(path: folder).path)
            while let file = files?.nextObject() as? String {
                found.insert(URL(filePath: file).lastPathComponent)
            }
        }
        #expect(names.subtracting(found).sorted() == [])
    }
}
