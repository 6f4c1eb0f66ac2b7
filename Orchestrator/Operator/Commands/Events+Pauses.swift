import ArgumentParser
import Catalogue
import Contracts
import Foundation
import OrchestratorService
import Payment

extension Events {
    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop selling an event, or all of them; every process knows within a second.",
            discussion: """
                Purchases under way go on. Whoever wants to start one is refused with 409 sales-paused and the reason. A \
                pause of all events and pauses of single ones are independent of each other.
                """)

        @OptionGroup var connection: Connection
        @OptionGroup var choice: EventChoice
        @Option(help: "Why; buyers are told it, and it is kept for ever beside your name.") var reason: String

        func run() async throws {
            try await connection.showPauses(
                try await connection.client.post("/ops/pauses", try choice.wish(because: reason)))
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Sell again what was paused.")

        @OptionGroup var connection: Connection
        @OptionGroup var choice: EventChoice
        @Option(help: "Why; kept for ever beside your name.") var reason: String?

        func run() async throws {
            try await connection.showPauses(
                try await connection.client.post("/ops/pauses/end", try choice.wish(because: reason)))
        }
    }

    struct Pauses: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List what is paused, since when and why.")

        @OptionGroup var connection: Connection

        func run() async throws {
            try await connection.showPauses(try await connection.client.get("/ops/pauses"))
        }
    }

    /// Which events are meant.
    struct EventChoice: ParsableArguments {
        @Argument(help: "The event's id.") var event: String?
        @Flag(help: "All events.") var all = false

        func wish(because reason: String?) throws -> PauseWish {
            guard (event == nil) == all else { throw ValidationError("say which: an event's id, or --all") }
            return PauseWish(eventId: event, all: all ? true : nil, reason: reason)
        }
    }

    struct PauseWish: Encodable {
        let eventId: String?
        let all: Bool?
        let reason: String?
    }
}

private struct PauseList: Decodable { let pauses: [SalesPause] }

extension Connection {
    fileprivate func showPauses(_ data: Data) async throws {
        try show(data, as: PauseList.self) { answer in
            guard !answer.pauses.isEmpty else { return ["no sale is paused"] }
            let rows = answer.pauses.map { pause in
                [pause.eventId.map { "\($0)" } ?? "all events", pause.since.age(), pause.reason]
            }
            return Table(headings: ["paused", "for", "reason"], rows: rows).lines
        }
    }
}
