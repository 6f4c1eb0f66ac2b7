import AsyncHTTPClient
import Contracts
import FleetRuntime
import Foundation
import Logging
import NIOCore
import NIOFoundationCompat
import Postgres
import RabbitMQ

/// The fleet under measurement, by its addresses.
struct Target: Sendable {
    let url: String
    let database: PostgresConnection
    let broker: BrokerConfiguration
    let logger: Logger

    init(_ environment: [String: String]) throws {
        guard let url = environment["TURNSTILE_URL"], let database = environment["DATABASE_URL"],
            let broker = environment["AMQP_URL"]
        else { throw MissingAddress() }
        var logger = Logger(label: "bench")
        logger.logLevel = .warning
        self.logger = logger
        self.url = url
        self.database = PostgresConnection(
            PostgresConfiguration(url: database, applicationName: "bench"), logger: logger)
        self.broker = try BrokerConfiguration(url: broker, connectionName: "bench")
    }

    struct MissingAddress: Error, CustomStringConvertible {
        let description = "TURNSTILE_URL, DATABASE_URL and AMQP_URL must be set; run compose/dev bench"
    }

    /// Puts events on sale that cannot sell out.
    func publishEvents(_ count: Int) async throws -> [EventID] {
        var events: [EventID] = []
        for number in 1...count {
            var request = HTTPClientRequest(url: "\(url)/events")
            request.method = .POST
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(
                ByteBuffer(
                    string: """
                        {"name":"Bench \(number)","startsAt":"2035-01-01T20:00:00Z","venue":{"name":"Hall","city":"Graz",
                        "latitude":47.07,"longitude":15.44},"tiers":[{"name":"Floor",
                        "price":{"currency":"EUR","minor":1000},"capacity":1000000}]}
                        """))
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
            let body = Data(buffer: try await response.body.collect(upTo: 1 << 20))
            events.append(try WireFormat.decode(Created.self, from: body).eventId)
        }
        return events
    }

    private struct Created: Decodable {
        let eventId: EventID
    }

    /// A start of two tickets by a buyer of its own.
    func start(_ event: EventID, buyer: String, number: Int) throws -> Publication {
        let wish = StartPurchase(
            userId: buyer, eventId: event, tier: "Floor", quantity: 2, email: "\(buyer)@example.com")
        return Publication(
            exchange: "turnstile.commands", routingKey: "orchestrator", isMandatory: true,
            properties: Properties(
                messageID: SagaID.make().description, type: StartPurchase.kind.rawValue,
                contentType: "application/json", timestamp: UInt64(Date().timeIntervalSince1970),
                headers: ["traceparent": .string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]),
            body: try WireFormat.encode(wish))
    }

    func publisher() async throws -> Publisher {
        let publisher = Publisher(broker, logger: logger)
        try await publisher.open()
        return publisher
    }
}
