import ArgumentParser
import Contracts
import Foundation
import Operations
import OrchestratorService
import WireJSON

/// Purchases: find, explain, and turn them.
struct Sagas: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Find purchases, explain them, and turn them.",
        subcommands: [List.self, Show.self, Explain.self, Cancel.self, Refund.self, Redrive.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List purchases, newest first.")

        @OptionGroup var connection: Connection
        @Option(help: "Only those in this state, such as charging or completed.") var state: String?
        @Option(help: "Only those for this event.") var event: String?
        @Option(help: "Only those of this user.") var user: String?
        @Flag(help: "Only those that wait for an operator.") var attention = false
        @Option(help: "How many, up to 200.") var limit = 50
        @Option(help: "Go on behind this saga.") var cursor: String?

        func run() async throws {
            let data = try await connection.client.get(
                "/sagas",
                [
                    ("state", state), ("eventId", event), ("userId", user), ("limit", "\(limit)"),
                    ("cursor", cursor), ("attention", attention ? "true" : nil),
                ])
            try connection.show(data, as: Listing<SagaLine>.self) { page in
                let rows = page.items.map { saga in
                    [
                        "\(saga.sagaId)", saga.state, saga.reason ?? "", saga.userId, saga.createdAt.age(),
                        saga.needsAttention.map { $0.shortened(to: 60) } ?? "",
                    ]
                }
                return Table(headings: ["saga", "state", "reason", "user", "age", "attention"], rows: rows).lines
                    + page.more
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one purchase with its timeline.")

        @OptionGroup var connection: Connection
        @Argument(help: "The saga's id.") var saga: String

        func run() async throws {
            let data = try await connection.client.get("/sagas/\(saga)")
            try connection.show(data, as: SagaLine.self) { saga in
                let rows = (saga.timeline ?? []).map { step in
                    [WireFormat.text(of: step.at), step.input, step.to, step.effects.joined(separator: " ")]
                }
                return ["\(saga.sagaId)  \(saga.state)  \(saga.userId)  trace \(saga.traceId ?? "-")", ""]
                    + Table(headings: ["at", "input", "state", "effects"], rows: rows).lines
            }
        }
    }

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Tell in plain words what happened to a purchase, what it waits for, and what comes next.")

        @OptionGroup var connection: Connection
        @Argument(help: "The saga's id.") var saga: String

        func run() async throws {
            let data = try await connection.client.get("/ops/sagas/\(saga)/explain")
            try connection.show(data, as: SagaExplanation.self, Self.lines)
        }

        static func lines(_ story: SagaExplanation) -> [String] {
            var lines = [story.headline, ""] + story.lines.map { "  \($0)" } + [""]
            if let what = story.waitsFor, let owner = story.owner {
                let since = story.since.map { " for \($0.age())" } ?? ""
                lines.append("It waits\(since) for \(what); the \(owner) worker owes that.")
                for obstacle in story.obstacles { lines += obstacle.lines(at: Date()) }
            } else {
                lines.append("It waits for nothing.")
            }
            if let next = story.next { lines.append(next) }
            if let reason = story.needsAttention { lines.append(Terminal.warn("It needs attention: \(reason)")) }
            if let trace = story.traceId { lines.append("Its trace is \(trace).") }
            for letter in story.deadLetters {
                lines.append("Dead letter \(letter.letter) of \(letter.queue): \(letter.reason)")
                lines.append("  look at it: turnstile dead show \(letter.letter)")
            }
            return lines
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Ask an unpaid purchase to turn back.")

        @OptionGroup var connection: Connection
        @Argument(help: "The saga's id.") var saga: String

        func run() async throws { try await connection.turn(saga, "/sagas/\(saga)/cancel") }
    }

    struct Refund: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give the money of a completed purchase back, and void its tickets.")

        @OptionGroup var connection: Connection
        @Argument(help: "The saga's id.") var saga: String

        func run() async throws { try await connection.turn(saga, "/sagas/\(saga)/refund") }
    }

    struct Redrive: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ask again now for the answer that a purchase waits for.",
            discussion: "Safe: the commands keep their ids, so what was done already is not done twice.")

        @OptionGroup var connection: Connection
        @Argument(help: "The saga's id.") var saga: String

        func run() async throws { try await connection.turn(saga, "/ops/sagas/\(saga)/redrive") }
    }
}

extension Connection {
    fileprivate func turn(_ saga: String, _ path: String) async throws {
        let data = try await client.call("POST", path)
        guard !json else { return Terminal.show(json: data) }
        Terminal.show("accepted; see: turnstile sagas explain \(saga)")
    }
}

/// A page of anything.
struct Listing<Item: Decodable>: Decodable {
    let items: [Item]
    let nextCursor: String?

    /// How to see the next page.
    var more: [String] { nextCursor.map { ["", "more: --cursor \($0)"] } ?? [] }
}

/// What the command line reads of a saga.
struct SagaLine: Decodable {
    struct Step: Decodable {
        let at: Date
        let input: String
        let to: String
        let effects: [String]
    }

    let sagaId: SagaID
    let state: String
    let reason: String?
    let userId: String
    let needsAttention: String?
    let traceId: String?
    let createdAt: Date
    let timeline: [Step]?
}
