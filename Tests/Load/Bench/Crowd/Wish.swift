import Contracts
import Foundation
import RabbitMQ
import WireJSON

/// What one buyer asks for, and how it is said on each way in.
struct Wish: Sendable {
    /// A name that no other buyer of any run has.
    let buyer: String
    let event: EventID
    var quantity: Int? = 2
    var seats: [String]?
    var method: String?
    var holdSeconds: Int?

    private var command: StartPurchase {
        StartPurchase(
            userId: buyer, eventId: event, tier: "Floor", quantity: quantity, seats: seats, paymentMethod: method,
            email: "\(buyer)@example.com", holdSeconds: holdSeconds)
    }

    var body: Data { get throws { try WireFormat.encode(command) } }

    func publication(replyTo: String? = nil) throws -> Publication {
        Publication(
            exchange: "turnstile.commands", routingKey: "orchestrator", isMandatory: true,
            properties: Properties(
                messageID: SagaID.make().description, type: StartPurchase.kind.rawValue, replyTo: replyTo,
                contentType: "application/json", timestamp: UInt64(Date().timeIntervalSince1970),
                headers: ["traceparent": .string("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")]),
            body: try body)
    }
}

/// The buyers of one trial, numbered, over some events in turn.
struct Buyers: Sendable {
    let events: [EventID]
    private let run = String(UInt32.random(in: 0...UInt32.max), radix: 36)

    init(_ events: [EventID]) { self.events = events }

    subscript(number: Int) -> Wish {
        Wish(buyer: "bench-\(run)-\(number)", event: events[number % events.count])
    }

    /// The number of a buyer of this trial; nil for anybody else.
    func number(of buyer: String) -> Int? {
        let parts = buyer.split(separator: "-")
        guard parts.count == 3, parts[1] == run else { return nil }
        return Int(parts[2])
    }
}
