import ArgumentParser
import Contracts
import Foundation

/// Events on sale.
struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, show and publish events.", subcommands: [List.self, Show.self, Publish.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List events, newest first.")

        @OptionGroup var connection: Connection
        @Option(help: "How many, up to 200.") var limit = 50
        @Option(help: "Go on behind this event.") var cursor: String?

        func run() async throws {
            let data = try await connection.client.get("/events", [("limit", "\(limit)"), ("cursor", cursor)])
            try connection.show(data, as: Listing<EventLine>.self) { page in
                let rows = page.items.map { event in
                    ["\(event.eventId)", WireFormat.text(of: event.startsAt), event.venue.city, event.name]
                }
                return Table(headings: ["event", "starts", "city", "name"], rows: rows).lines + page.more
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one event, and what of it is left.")

        @OptionGroup var connection: Connection
        @Argument(help: "The event's id.") var event: String

        private struct Availability: Decodable {
            struct Tier: Decodable {
                let name: String
                let capacity: Int
                let available: Int
            }

            let tiers: [Tier]
        }

        func run() async throws {
            let data = try await connection.client.get("/events/\(event)")
            guard !connection.json else { return Terminal.show(json: data) }
            let event = try WireFormat.decode(EventLine.self, from: data)
            let left = try WireFormat.decode(
                Availability.self, from: try await connection.client.get("/events/\(event.eventId)/availability"))
            Terminal.show(
                "\(event.name), \(event.venue.name), \(event.venue.city), \(WireFormat.text(of: event.startsAt))")
            let rows = left.tiers.map { [$0.name, "\($0.available)", "\($0.capacity)"] }
            for line in Table(headings: ["tier", "available", "capacity"], rows: rows).lines { Terminal.show(line) }
        }
    }

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put an event on sale; the body is read from a file, or from standard input.",
            discussion: "The file holds what POST /events takes; Contracts/Golden/event.publish.v1.json is a sample.")

        @OptionGroup var connection: Connection
        @Argument(help: "The file; - for standard input.") var file = "-"

        func run() async throws {
            let body =
                file == "-"
                ? FileHandle.standardInput.readDataToEndOfFile() : try Data(contentsOf: URL(filePath: file))
            let data = try await connection.client.call("POST", "/events", body: body)
            try connection.show(data, as: EventLine.self) { ["published \($0.eventId)  \($0.name)"] }
        }
    }
}

/// What the command line reads of an event.
private struct EventLine: Decodable {
    let eventId: EventID
    let name: String
    let startsAt: Date
    let venue: Venue
}
