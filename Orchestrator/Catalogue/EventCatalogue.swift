import Contracts

/// The events on sale; an event never changes once it is published, so what was read may be kept.
package actor EventCatalogue {
    private let book: any EventStore
    /// What was used lately, and what was used before that; each holds at most half of the room.
    private var recent: [EventID: CatalogueEvent] = [:]
    private var earlier: [EventID: CatalogueEvent] = [:]
    private var recentBytes = 0
    private let room: Int

    /// - Parameter bytes: how much memory the events that are kept may take, about.
    package init(_ book: any EventStore, bytes: Int = 64 * 1024 * 1024) {
        self.book = book
        room = bytes / 2
    }

    /// The events of these ids that exist; those not known yet are read in one query.
    package func events(_ ids: Set<EventID>) async throws -> [EventID: CatalogueEvent] {
        // What is known now may be forgotten, for others, while the rest is read.
        var events: [EventID: CatalogueEvent] = [:]
        for id in ids { events[id] = known(id) }
        let missing = ids.filter { events[$0] == nil }
        guard !missing.isEmpty else { return events }
        for event in try await book.events(Array(missing)) {
            keep(event)
            events[event.id] = event
        }
        return events
    }

    package func exists(_ id: EventID) async throws -> Bool {
        if known(id) != nil { return true }
        return try await book.exists(id)
    }

    /// The event whole, with its id and every seat, as JSON; it is read anew each time, for few look at it.
    package func document(of id: EventID) async throws -> String? {
        try await book.document(of: id)
    }

    /// Reads everything anew from now on.
    package func forget() {
        recent = [:]
        earlier = [:]
        recentBytes = 0
    }

    /// A page of events, newest first, older than `cursor`.
    package func page(_ limit: Int, before cursor: EventID?) async throws -> [EventSummary] {
        try await book.page(limit, before: cursor)
    }

    /// About how much memory the events take that are kept.
    package var bytes: Int { (recent.values.map(\.bytes) + earlier.values.map(\.bytes)).reduce(0, +) }

    private func known(_ id: EventID) -> CatalogueEvent? {
        if let event = recent[id] { return event }
        guard let event = earlier[id] else { return nil }
        keep(event)
        return event
    }

    private func keep(_ event: CatalogueEvent) {
        guard recent[event.id] == nil, event.bytes <= room else { return }
        if recentBytes + event.bytes > room {
            earlier = recent
            recent = [:]
            recentBytes = 0
        }
        recent[event.id] = event
        recentBytes += event.bytes
    }
}
