import Foundation
import Hosting
import Testing

@Suite struct `The release` {
    @Test func `has one version, in the program and in the contract`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Contracts/openapi.yaml")
        let text = try String(contentsOf: file, encoding: .utf8)
        let version = try #require(text.firstMatch(of: #/\n  version: (\S+)/#)).1
        #expect(version == Release.version)
    }
}
