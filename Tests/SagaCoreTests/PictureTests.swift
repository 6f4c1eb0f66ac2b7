import Foundation
import SagaCore
import Testing

/// The picture in ARCHITECTURE.md is the code's.
@Suite struct `The picture of the saga` {
    @Test func `shows just the moves that the code makes`() throws {
        let drawn = try Self.drawnEdges()
        let made = Self.codeEdges()
        #expect(drawn.subtracting(made).isEmpty, "drawn, but the code does not do it")
        #expect(made.subtracting(drawn).isEmpty, "the code does it, but it is not drawn")
    }

    /// `a --> b : input` for every move between different states.
    private static func codeEdges() -> Set<String> {
        var edges: Set<String> = ["[*] --> reserving : start"]
        for (state, input) in Universe.pairs {
            guard case .move(let next, _) = PurchaseSaga.step(state, on: input) else { continue }
            edges.insert("\(state.tag) --> \(next.tag) : \(input.name)")
        }
        return edges
    }

    private static func drawnEdges() throws -> Set<String> {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Orchestrator/Documentation/ARCHITECTURE.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let picture =
            text.components(separatedBy: "stateDiagram-v2").dropFirst().first?
            .components(separatedBy: "```").first ?? ""
        return Set(
            picture.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { $0.contains("-->") && $0.contains(" : ") })
    }
}
