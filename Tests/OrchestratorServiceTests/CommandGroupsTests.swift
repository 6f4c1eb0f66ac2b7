import Contracts
import Foundation
import Testing

@testable import OrchestratorService
@testable import Purchases

/// Where commands of one batch are decided together, and where one after another.
@Suite struct `A batch of commands` {
    private static let event = EventID.make()
    private static let purchase = StartPurchase(
        userId: "ada", eventId: event, tier: "Floor", quantity: 1)

    private static func envelope(_ payload: some Message, id: MessageID = .make()) throws -> Envelope {
        try Envelope(id: id, payload, sagaID: nil, step: nil, causationID: nil, occurredAt: Date(), traceparent: nil)
    }

    private static func groups(_ batch: [Envelope]) -> [Range<Int>] {
        Array(CommandGroups(batch.map(UpstreamCommand.read), of: batch))
    }

    private static func start(_ id: MessageID = .make()) throws -> Envelope { try envelope(purchase, id: id) }
    private static func cancel(_ id: MessageID = .make()) throws -> Envelope {
        try envelope(CancelPurchase(sagaId: .make()), id: id)
    }
    private static func publish() throws -> Envelope {
        try envelope(
            PublishEvent(
                name: "Gala", startsAt: Date(timeIntervalSinceNow: 86_400), endsAt: nil,
                venue: Venue(name: "Hall", city: "Wien", latitude: 48, longitude: 16),
                tiers: [.init(name: "Floor", price: Money(currency: "EUR", minor: 4_500), capacity: 9, seats: nil)]))
    }

    @Test func `is one group where no id has two kinds`() throws {
        let id = MessageID.make()
        let batch = try [Self.start(id), Self.cancel(), Self.start(), Self.start(id), Self.cancel(), Self.publish()]
        #expect(Self.groups(batch) == [0..<6])
    }

    @Test func `is parted where an id comes again with another kind, whichever came first`() throws {
        let (one, other) = (MessageID.make(), MessageID.make())
        let batch = try [
            Self.cancel(one), Self.start(other), Self.start(one), Self.cancel(), Self.cancel(other), Self.start(),
        ]
        #expect(Self.groups(batch) == [0..<2, 2..<6])
        #expect(try Self.groups([Self.start(one), Self.cancel(one), Self.start(one)]) == [0..<1, 1..<2, 2..<3])
    }

    @Test func `is parted where a purchase follows an event that is published`() throws {
        let batch = try [Self.start(), Self.publish(), Self.publish(), Self.start(), Self.start(), Self.publish()]
        #expect(Self.groups(batch) == [0..<3, 3..<6])
    }

    @Test func `of none has no group`() {
        #expect(Self.groups([]).isEmpty)
    }
}
