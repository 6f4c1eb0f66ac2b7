import Connections
import Contracts
import Foundation
import Logging
import Postgres
import RabbitMQ
import TestKit
import WireJSON

/// The fleet under measurement, by its addresses.
struct Target: Sendable {
    let url: String
    /// The owner's connection to the trial's database: for counting, not for buying.
    let database: PostgresConnection
    let databaseURL: String
    let broker: BrokerConfiguration
    let logger: Logger

    init(_ site: Site, database name: String, logger: Logger) throws {
        self.logger = logger
        url = site.turnstileURL
        databaseURL = try Site.url(site.databaseURL, path: name)
        database = PostgresConnection(Self.patient(databaseURL), logger: logger)
        broker = try BrokerConfiguration(url: site.brokerURL, connectionName: "bench")
    }

    /// A connection whose statements may take as long as loading ten million sagas does.
    static func patient(_ url: String) -> PostgresConfiguration {
        var configuration = PostgresConfiguration(url: url, applicationName: "bench")
        configuration.statementTimeout = .seconds(7_200)
        configuration.lockTimeout = .seconds(60)
        configuration.idleInTransactionTimeout = .seconds(7_200)
        configuration.queryDeadline = .seconds(7_300)
        configuration.scriptDeadline = .seconds(7_300)
        return configuration
    }

    /// Puts events on sale; without a capacity they cannot sell out.
    func publishEvents(_ count: Int, capacity: Int = 1_000_000) async throws -> [EventID] {
        var events: [EventID] = []
        for number in 1...count {
            events.append(try await publish("Bench \(number)", #""capacity":\#(capacity)"#))
        }
        return events
    }

    /// Puts a hall of named seats on sale, the best first.
    func publishHall(seats: [String]) async throws -> EventID {
        let names = seats.map { "\"\($0)\"" }.joined(separator: ",")
        return try await publish("Hall", #""capacity":\#(seats.count),"seats":[\#(names)]"#)
    }

    private func publish(_ name: String, _ places: String) async throws -> EventID {
        let answer = try await Web.call(
            "POST", "\(url)/events",
            json: """
                {"name":"\(name)","startsAt":"2035-01-01T20:00:00Z","venue":{"name":"Hall","city":"Graz",
                "latitude":47.07,"longitude":15.44},"tiers":[{"name":"Floor",
                "price":{"currency":"EUR","minor":1000},\(places)}]}
                """)
        guard answer.status == 201 else {
            throw Trouble("no event: \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
        }
        return try WireFormat.decode(Created.self, from: answer.body).eventId
    }

    private struct Created: Decodable {
        let eventId: EventID
    }

    func publisher(on thread: ConnectionThread? = nil) async throws -> Publisher {
        let publisher = Publisher(broker, on: thread, logger: logger)
        try await publisher.open()
        return publisher
    }

    func count(_ sql: String, _ parameters: [any PostgresEncodable] = []) async throws -> Int {
        try await database.query(sql, parameters, as: Int.self).first ?? 0
    }
}
