import ArgumentParser
import Audit
import Contracts
import Foundation
import Operations
import OrchestratorService
import WireJSON

/// Messages that could not be handled.
struct Dead: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at messages that could not be handled, send them again, drop them, or bring dropped ones back.",
        discussion: """
            Letters that were sent again or dropped are kept for \(DeadLetterStore.keptDays) days after that; what waits \
            is kept until somebody decides.
            """,
        subcommands: [List.self, Show.self, Replay.self, Drop.self, Restore.self, Log.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List dead letters by failure; with a queue, one by one.")

        @OptionGroup var connection: Connection
        @Argument(help: "A queue, such as payment.commands.") var queue: String?
        @Option(help: "Only those of this group.") var group: String?
        @Option(help: "Which ones: waiting, replayed or dropped. The last two want a queue.") var state:
            DeadLetterState?
        @Option(help: "How many, up to 200.") var limit = 50
        @Option(help: "Go on behind this letter.") var cursor: String?

        func run() async throws {
            guard let queue else {
                guard state == nil || state == .waiting else { throw ValidationError("--state wants a queue") }
                return try await groups()
            }
            let data = try await connection.client.get(
                "/ops/dead/\(queue.asPathPart)",
                [("group", group), ("limit", "\(limit)"), ("cursor", cursor), ("state", state?.rawValue)])
            try connection.show(data, as: Listing<DeadLetterSummary>.self) { page in
                let rows = page.items.map { letter in
                    [
                        "\(letter.letter)", letter.group, letter.kind ?? "-", "\(letter.times)", letter.lastSeen.age(),
                        letter.reason.shortened(to: 60),
                    ]
                }
                return Table(headings: ["letter", "group", "kind", "times", "last", "reason"], rows: rows).lines
                    + page.more
            }
        }

        private func groups() async throws {
            let data = try await connection.client.get("/ops/dead")
            try connection.show(data, as: Groups.self) { answer in
                let rows = answer.groups.map { group in
                    [
                        group.group, group.queue, group.kind ?? "-", "\(group.count)", group.firstSeen.age(),
                        group.lastSeen.age(), group.reason.shortened(to: 60),
                    ]
                }
                return Table(
                    headings: ["group", "queue", "kind", "count", "first", "last", "reason"], rows: rows
                ).lines
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one dead letter: why, who sent it, headers, body, saga.")

        @OptionGroup var connection: Connection
        @Argument(help: "The letter's id, from `turnstile dead list QUEUE`.") var letter: String

        func run() async throws {
            let data = try await connection.client.get("/ops/letters/\(letter)")
            try connection.show(data, as: DeadLetterDetail.self) { letter in
                let summary = letter.summary
                let facts = [
                    ("letter", "\(summary.letter)  \(summary.state.rawValue)"), ("queue", summary.queue),
                    ("kind", summary.kind ?? "-"), ("message id", summary.messageId ?? "-"),
                    ("saga", summary.sagaId.map { "\($0)" } ?? "-"), ("group", summary.group),
                    ("reason", summary.reason), ("attempts", "\(summary.attempts)"),
                    ("buried", "\(summary.times) times"),
                    ("first seen", WireFormat.text(of: summary.firstSeen)),
                    ("last seen", WireFormat.text(of: summary.lastSeen)),
                ]
                return facts.map { $0.0.padding(toLength: 12, withPad: " ", startingAt: 0) + $0.1 }
                    + Self.lines(letter.properties, under: "properties")
                    + Self.lines(letter.headers, under: "headers") + ["body"]
                    + letter.body.split(separator: "\n").map { "  \($0)" }
            }
        }

        private static func lines(_ values: [String: String], under heading: String) -> [String] {
            guard !values.isEmpty else { return [] }
            return [heading] + values.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give dead letters up, for a reason that is kept.",
            discussion: "They can be brought back for \(DeadLetterStore.keptDays) days: turnstile dead restore.")

        @OptionGroup var connection: Connection
        @OptionGroup var choice: Choice
        @Option(help: "Why; kept for ever beside your name.") var reason: String
        @Flag(help: "Only say which sagas and how much money it is about.") var dryRun = false

        func run() async throws {
            try choice.check()
            let wish = Wish(choice, limit: nil, dryRun: dryRun, reason: reason)
            let data = try await connection.client.post("/ops/dead/\(choice.queue.asPathPart)/drop", wish)
            if dryRun { return try connection.show(data, as: DeadLetterImpact.self, Dead.lines) }
            try connection.show(data, as: DeadLetterOutcome.self) { ["dropped \($0.count)"] }
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring dropped letters back onto the list, for \(DeadLetterStore.keptDays) days after the drop.",
            discussion: "See them first: turnstile dead list QUEUE --state dropped. Nothing is sent by this.")

        @OptionGroup var connection: Connection
        @OptionGroup var choice: Choice
        @Option(help: "Why; kept for ever beside your name.") var reason: String?
        @Flag(help: "Only say which sagas and how much money it is about.") var dryRun = false

        func run() async throws {
            try choice.check()
            let wish = Wish(choice, limit: nil, dryRun: dryRun, reason: reason)
            let data = try await connection.client.post("/ops/dead/\(choice.queue.asPathPart)/restore", wish)
            if dryRun { return try connection.show(data, as: DeadLetterImpact.self, Dead.lines) }
            try connection.show(data, as: DeadLetterOutcome.self) { ["brought back \($0.count)"] }
        }
    }

    struct Log: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show what operators did, newest first.")

        @OptionGroup var connection: Connection
        @Option(help: "How many, up to 200.") var limit = 50
        @Option(help: "Go on behind this action.") var cursor: String?

        func run() async throws {
            let data = try await connection.client.get(
                "/ops/actions", [("limit", "\(limit)"), ("cursor", cursor)])
            try connection.show(data, as: Listing<OperatorAction>.self) { page in
                let rows = page.items.map { action in
                    [
                        WireFormat.text(of: action.at), action.by, action.from ?? "-", action.did,
                        action.subject.shortened(to: 60), action.letters == 0 ? "" : "\(action.letters)",
                        action.did == "replay" ? "\(action.returned)" : "", action.result ?? "unknown",
                        action.reason ?? "",
                    ]
                }
                return Table(
                    headings: ["at", "by", "from", "did", "to", "letters", "came back", "result", "reason"], rows: rows
                ).lines + page.more
            }
        }
    }

    /// Which letters are meant.
    struct Choice: ParsableArguments {
        @Argument(help: "The queue, such as payment.commands.") var queue: String
        @Option(help: "All of this group, from `turnstile dead list`.") var group: String?
        @Option(help: "Only this letter; may be repeated.") var letter: [String] = []
        @Flag(help: "All of the queue.") var all = false

        func check() throws {
            guard all || group != nil || !letter.isEmpty else {
                throw ValidationError("say which: --group, --letter or --all")
            }
        }
    }

    struct Wish: Encodable {
        let group: String?
        let letters: [String]?
        let limit: Int?
        let dryRun: Bool
        let reason: String?

        init(_ choice: Choice, limit: Int?, dryRun: Bool, reason: String? = nil) {
            group = choice.group
            letters = choice.letter.isEmpty ? nil : choice.letter
            self.limit = limit
            self.dryRun = dryRun
            self.reason = reason
        }
    }

    private struct Groups: Decodable { let groups: [DeadLetterGroup] }

    static func lines(_ impact: DeadLetterImpact) -> [String] {
        let money = impact.amounts.map(\.readable).joined(separator: ", ")
        return ["\(impact.letters) letters of \(impact.sagas.count) sagas, about \(money.isEmpty ? "no money" : money)"]
            + impact.sagas.map { "  \($0)" }
    }
}

extension DeadLetterState: ExpressibleByArgument {}

extension DeadLetterOutcome {
    fileprivate var count: String { letters.count == 1 ? "1 letter" : "\(letters.count) letters" }
}

extension String {
    /// As one part of a path, whatever somebody typed.
    var asPathPart: String {
        addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-._~"))) ?? self
    }
}
