import Contracts
import FleetRuntime
import FoundationEssentials
import Postgres

/// Learns where events take place and what users care for; nobody waits for it, so it answers nothing.
package struct RecommendationWorker<Store: PlaceStore>: CommandHandler {
    let store: Store

    package init(store: Store) {
        self.store = store
    }

    package func handle(_ batch: [Envelope], in transaction: Store.Transaction) async throws -> [Outcome] {
        let lessons = batch.map(Lesson.init)
        try await store.learn(
            lessons.compactMap(\.place), lessons.compactMap(\.interest), in: transaction)
        return lessons.map(\.outcome)
    }
}

/// What one message teaches.
private enum Lesson {
    case place(PlaceNews)
    case interest(ObserveInterest)
    case unusable(reason: String)

    init(_ envelope: Envelope) {
        do {
            self = try Self.read(envelope)
        } catch {
            self = .unusable(reason: DeadLetterReason.malformedBody(error))
        }
    }

    private static func read(_ envelope: Envelope) throws -> Lesson {
        if envelope.kind == .eventPublished {
            let event = try envelope.decode(EventPublished.self)
            try check(event)
            return .place(PlaceNews(event: event, publishedAt: envelope.occurredAt))
        }
        guard envelope.kind == .observe else {
            return .unusable(reason: DeadLetterReason.unexpectedKind(envelope.kind))
        }
        let interest = try envelope.decode(ObserveInterest.self)
        try checkText(interest.userId, "userId", 1...Limits.identifierLength)
        guard (1...1_000).contains(interest.weight) else { throw Unusable(what: "weight must be from 1 to 1000") }
        return .interest(interest)
    }

    private static func check(_ event: EventPublished) throws {
        try checkText(event.name, "name", 1...Limits.textLength)
        try checkText(event.venue.name, "venue.name", 0...Limits.textLength)
        try checkText(event.venue.city, "venue.city", 0...Limits.textLength)
        guard (-90...90).contains(event.venue.latitude), (-180...180).contains(event.venue.longitude) else {
            throw Unusable(what: "venue.latitude and venue.longitude must be degrees on Earth")
        }
    }

    private static func checkText(_ text: String, _ field: String, _ length: ClosedRange<Int>) throws {
        guard length.contains(text.unicodeScalars.count), !text.utf8.contains(0) else {
            throw Unusable(
                what: "\(field) must have \(length.lowerBound) to \(length.upperBound) characters and no NUL")
        }
    }

    var place: PlaceNews? {
        if case .place(let news) = self { news } else { nil }
    }

    var interest: ObserveInterest? {
        if case .interest(let interest) = self { interest } else { nil }
    }

    var outcome: Outcome {
        switch self {
        case .place, .interest: .reply([])
        case .unusable(let reason): .deadLetter(reason: reason)
        }
    }
}

/// A body that can be read but means nothing.
private struct Unusable: Error, CustomStringConvertible {
    let what: String
    var description: String { what }
}
