import Contracts
import FleetStorage
import FoundationEssentials

/// The record of the events on sale and of the messages that must follow from them.
package protocol EventStore: Sendable {
    /// Those of the events that exist.
    func events(_ ids: [EventID]) async throws -> [CatalogueEvent]
    func exists(_ id: EventID) async throws -> Bool
    /// The event as it was published, with its id as `eventId`, as a JSON object.
    func document(of id: EventID) async throws -> String?
    /// A page of events, newest first, older than `cursor`.
    func page(_ limit: Int, before cursor: EventID?) async throws -> [EventSummary]
    /// Adds an event and its messages in one transaction, unless its key is taken.
    func add(_ event: NewEvent, _ messages: [OutgoingMessage]) async throws -> EventPublishing.Result
    /// Records that a request to publish is rejected, and answers what stands under its key now.
    func reject(_ request: RequestRecord) async throws -> EventPublishing.Result
    /// Looks at events that are not known to be stocked, at most `limit`; adds the commands of those of which the
    /// reservation worker does not show everything, and returns how many these are.
    func restock(
        _ limit: Int, with commands: @Sendable (EventID, PublishEvent) throws -> [OutgoingMessage]
    ) async throws -> Int
}

/// Messages that follow from no message, kept until the broker has confirmed them; safe for many replicas at once.
package protocol Outbox: Sendable {
    /// Takes at most `limit` messages and keeps them from others for the time of the lease.
    func claim(_ limit: Int, for lease: Duration) async throws -> [OutgoingMessage]
    /// Forgets messages that are confirmed.
    func remove(_ messages: [MessageID]) async throws
}

/// An event about to go on sale.
package struct NewEvent: Sendable {
    package let id: EventID
    package let event: PublishEvent
    /// The idempotency key of the request, for ever; nil for a request without one.
    package let key: String?
    /// The hash of what was asked under the key.
    package let fingerprint: Data

    package init(id: EventID, event: PublishEvent, key: String?, fingerprint: Data) {
        self.id = id
        self.event = event
        self.key = key
        self.fingerprint = fingerprint
    }

    /// What the record of requests says of it; nil without a key.
    package var request: RequestRecord? {
        key.map {
            RequestRecord(key: $0, kind: .eventPublish, fingerprint: fingerprint, subject: id.uuid, answer: .accepted)
        }
    }
}
