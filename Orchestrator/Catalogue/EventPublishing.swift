import Connections
import Contracts
import FleetRuntime
import FleetStorage
import FoundationEssentials

/// Puts events on sale: the catalogue row and the messages that follow from it, in one transaction.
package struct EventPublishing: Sendable {
    package enum Result: Sendable {
        case published(EventID)
        /// The same request came before.
        case repeated(EventID)
        case keyReused
        /// It breaks a rule, or was rejected for this reason when it came first.
        case rejected(Problem)
    }

    /// An upstream system that wants to be told what became of its command.
    package struct Asker: Sendable {
        let queue: String
        let correlationID: String
        let command: MessageID

        package init(queue: String, correlationID: String, command: MessageID) {
            self.queue = queue
            self.correlationID = correlationID
            self.command = command
        }
    }

    let book: any EventStore
    let relay: OutboxRelay

    package init(_ book: any EventStore, relay: OutboxRelay) {
        self.book = book
        self.relay = relay
    }

    /// Publishes an event that keeps the rules; the asker of a new event is told with the rest of the world.
    ///
    /// The first answer under a key is its answer, however late a repeat comes.
    package func publish(
        _ event: PublishEvent, key: String?, fingerprint: Data, traceparent: String?, for asker: Asker? = nil
    ) async throws -> Result {
        do throws(Problem) {
            try EventRules.check(event)
            try EventRules.check(event, isStillToComeAt: RuntimeEnvironment.date)
        } catch {
            guard let key else { return .rejected(error) }
            return try await book.reject(
                RequestRecord(
                    key: key, kind: .eventPublish, fingerprint: fingerprint, subject: nil, answer: .rejected(error)))
        }
        let id = EventID.fresh()
        let trace = traceparent ?? TraceContext.root(id)
        let messages = try messages(for: event, id: id, traceparent: trace)
        let answers = try asker.map { [try answer(to: $0, event, id: id, traceparent: trace)] } ?? []
        let result = try await book.add(
            NewEvent(id: id, event: event, key: key, fingerprint: fingerprint), messages + answers)
        if case .published = result { relay.hurry() }
        return result
    }

    /// Tells the asker which event its command, or the first of its repeats, put on sale.
    package func answer(
        to asker: Asker, _ event: PublishEvent, id: EventID, traceparent: String?
    ) throws -> OutgoingMessage {
        var envelope = try Envelope(
            id: .derived(from: id.uuid, "\(MessageKind.eventPublished.rawValue) answered"),
            Self.news(of: event, id: id),
            sagaID: nil, step: nil, causationID: asker.command, occurredAt: RuntimeEnvironment.date,
            traceparent: traceparent)
        envelope.correlationID = asker.correlationID
        return OutgoingMessage(envelope, to: .upstream(queue: asker.queue))
    }

    private static func news(of event: PublishEvent, id: EventID) -> EventPublished {
        EventPublished(eventId: id, name: event.name, startsAt: event.startsAt, venue: event.venue)
    }

    private func messages(
        for event: PublishEvent, id: EventID, traceparent: String?
    ) throws -> [OutgoingMessage] {
        try StockParts.commands(for: event, id: id, traceparent: traceparent) + [
            OutgoingMessage(
                try Self.announcement(of: event, id: id, traceparent: traceparent), to: .listeners)
        ]
    }

    /// The news of an event, always under the same id.
    static func announcement(of event: PublishEvent, id: EventID, traceparent: String?) throws -> Envelope {
        try Envelope(
            id: .derived(from: id.uuid, MessageKind.eventPublished.rawValue), news(of: event, id: id), sagaID: nil,
            step: nil, causationID: nil, occurredAt: RuntimeEnvironment.date, traceparent: traceparent)
    }
}

/// Cuts an event's stock into commands that fit a message.
enum StockParts {
    static func commands(
        for event: PublishEvent, id: EventID, traceparent: String?
    ) throws -> [OutgoingMessage] {
        try parts(of: event).enumerated().map { number, tier in
            OutgoingMessage(
                try Envelope(
                    id: .derived(from: id.uuid, "\(MessageKind.stock.rawValue).\(number)"),
                    StockEvent(eventId: id, tiers: [tier]), sagaID: nil, step: nil, causationID: nil,
                    occurredAt: RuntimeEnvironment.date, traceparent: traceparent),
                to: .owner)
        }
    }

    private static func parts(of event: PublishEvent) -> [StockEvent.Tier] {
        event.tiers.flatMap { tier in
            guard let seats = tier.seats else {
                return [StockEvent.Tier(name: tier.name, capacity: tier.capacity, seats: nil, firstRank: nil)]
            }
            return slices(of: seats).map { slice in
                StockEvent.Tier(
                    name: tier.name, capacity: tier.capacity, seats: Array(slice), firstRank: slice.startIndex)
            }
        }
    }

    /// Seats in order, as many to a slice as a message may name and hold: a name of any alphabet has room.
    private static func slices(of seats: [String]) -> [ArraySlice<String>] {
        var slices: [ArraySlice<String>] = []
        var first = 0
        var bytes = 0
        for (rank, seat) in seats.enumerated() {
            let size = 2 * seat.utf8.count + 3
            if rank - first == Limits.seatsPerStockMessage || bytes + size > Limits.messageBytes * 3 / 4 {
                slices.append(seats[first..<rank])
                (first, bytes) = (rank, 0)
            }
            bytes += size
        }
        slices.append(seats[first...])
        return slices
    }
}

extension EventPublishing.Result {
    /// What a record that stands under a key says to a request to publish an event.
    package init(_ record: RequestRecord, for request: RequestRecord) {
        if let problem = record.problem(for: request) {
            self = problem.code == .keyReused ? .keyReused : .rejected(problem)
        } else if let event = record.subject {
            self = .repeated(EventID(event))
        } else {
            self = .keyReused
        }
    }
}
