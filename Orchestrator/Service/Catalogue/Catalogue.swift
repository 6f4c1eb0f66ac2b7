import Contracts

/// The events on sale; an event never changes once it is published, so what was read may be kept.
package actor Catalogue {
    private let book: any EventBook
    private let capacity: Int
    private var known: [EventID: CatalogueEvent] = [:]

    /// Keeps at most `capacity` events in memory.
    package init(_ book: any EventBook, capacity: Int = 2_000) {
        self.book = book
        self.capacity = capacity
    }

    /// The events of these ids that exist; those not known yet are read in one query.
    package func events(_ ids: Set<EventID>) async throws -> [EventID: CatalogueEvent] {
        // What is known now may be forgotten, for others, while the rest is read.
        var events = known.filter { ids.contains($0.key) }
        let missing = ids.filter { events[$0] == nil }
        guard !missing.isEmpty else { return events }
        let found = try await book.events(Array(missing))
        if known.count + found.count > capacity { known.removeAll() }
        for event in found {
            known[event.id] = event
            events[event.id] = event
        }
        return events
    }

    package func event(_ id: EventID) async throws -> CatalogueEvent? {
        if let event = known[id] { return event }
        return try await events([id])[id]
    }

    /// Reads everything anew from now on.
    package func forget() {
        known = [:]
    }

    /// A page of events, newest first, older than `cursor`.
    package func page(_ limit: Int, before cursor: EventID?) async throws -> [CatalogueEvent] {
        try await book.page(limit, before: cursor)
    }
}
