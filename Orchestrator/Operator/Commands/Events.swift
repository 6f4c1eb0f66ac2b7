import ArgumentParser
import Contracts
import Crypto
import Foundation
import Payment
import RabbitMQ
import Reservation
import WireJSON

/// Events on sale.
struct Events: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List, show and publish events, and stop or resume their sale.",
        subcommands: [List.self, Show.self, Publish.self, Pause.self, Resume.self, Pauses.self])

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
            discussion: """
                The file holds what POST /events takes; Contracts/Golden/event.publish.v1.json is a sample. The same file \
                again is the same event: its bytes are hashed into the idempotency key, unless --key gives another.
                """)

        @OptionGroup var connection: Connection
        @Argument(help: "The file; - for standard input.") var file = "-"
        @Option(help: "The idempotency key; else a hash of the file.") var key: String?

        func run() async throws {
            let body = try read()
            let key = key ?? Self.key(for: body)
            let data = try await connection.client.call(
                "POST", "/events", body: body, headers: [("Idempotency-Key", key)])
            try connection.show(data, as: EventLine.self) {
                ["published \($0.eventId)  \($0.name)", "under the key \(key); published again, it is the same event"]
            }
        }

        /// The same for the same bytes.
        static func key(for body: Data) -> String {
            "file-"
                + SHA256.hash(data: body).map { byte in
                    String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
                }.joined()
        }

        private func read() throws -> Data {
            guard file != "-" else { return FileHandle.standardInput.readDataToEndOfFile() }
            do {
                return try Data(contentsOf: URL(filePath: file))
            } catch {
                throw Refusal("\(file) cannot be read: \((error as NSError).localizedDescription)")
            }
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
