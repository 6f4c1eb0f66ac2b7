import ArgumentParser
import Contracts
import Foundation
import Operations
import OrchestratorService
import WireJSON

/// Answers that upstream systems' queues did not take.
struct Undelivered: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at answers that upstream systems' queues did not take, send them again, or drop them.",
        discussion: """
            An answer whose queue is full, gone or silent is kept for seven days, and sent again for one: after as long \
            as it has waited, at most every five minutes. Nobody else waits for it.
            """,
        subcommands: [List.self, Retry.self, Drop.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List queues with undelivered answers; with a queue, its answers one by one.")

        @OptionGroup var connection: Connection
        @Argument(help: "A queue, as it was named in reply_to.") var queue: String?
        @Option(help: "How many, up to 200.") var limit = 50
        @Option(help: "Go on behind this answer.") var cursor: String?

        func run() async throws {
            guard let queue else { return try await queues() }
            let data = try await connection.client.get(
                "/ops/undelivered/answers", [("queue", queue), ("limit", "\(limit)"), ("cursor", cursor)])
            try connection.show(data, as: Listing<UndeliveredAnswer>.self) { page in
                let rows = page.items.map { answer in
                    [
                        answer.messageId, answer.kind ?? "-", answer.reason, answer.since.age(), "\(answer.attempts)",
                        answer.nextAttemptAt.map { WireFormat.text(of: $0) } ?? "given up",
                        answer.body.shortened(to: 60),
                    ]
                }
                return Table(
                    headings: ["message", "kind", "reason", "waits", "attempts", "next", "body"], rows: rows
                ).lines + page.more
            }
        }

        private func queues() async throws {
            let data = try await connection.client.get("/ops/undelivered", [("limit", "\(limit)")])
            try connection.show(data, as: Queues.self) { answer in
                let rows = answer.queues.map { queue in
                    [
                        queue.queue, queue.reason, "\(queue.answers)", queue.since.age(), "\(queue.attempts)",
                        queue.nextAttemptAt.map { WireFormat.text(of: $0) } ?? "-", "\(queue.givenUp)",
                    ]
                }
                return Table(
                    headings: ["queue", "reason", "answers", "waits", "attempts", "next", "given up"], rows: rows
                ).lines
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Send the answers to a queue again, now.")

        @OptionGroup var connection: Connection
        @Argument(help: "The queue, from `turnstile undelivered list`.") var queue: String
        @Option(help: "Why; kept for ever beside your name.") var reason: String?

        func run() async throws {
            let data = try await connection.client.post(
                "/ops/undelivered/retry", Wish(queue: queue, reason: reason))
            try connection.show(data, as: UndeliveredOutcome.self) { ["\($0.answers) answers are sent again"] }
        }
    }

    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give the answers to a queue up, for a reason that is kept.")

        @OptionGroup var connection: Connection
        @Argument(help: "The queue, from `turnstile undelivered list`.") var queue: String
        @Option(help: "Why; kept for ever beside your name.") var reason: String

        func run() async throws {
            let data = try await connection.client.post("/ops/undelivered/drop", Wish(queue: queue, reason: reason))
            try connection.show(data, as: UndeliveredOutcome.self) { ["\($0.answers) answers were dropped"] }
        }
    }

    private struct Wish: Encodable {
        let queue: String
        let reason: String?
    }

    private struct Queues: Decodable { let queues: [UndeliveredQueue] }
}
