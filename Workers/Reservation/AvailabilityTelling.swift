import Contracts
import FleetRuntime
import Synchronization

/// Notes the events that a batch changes, from within its transaction until it has ended.
package final class ChangedEvents: Sendable {
    private let events = Mutex<Set<EventID>>([])

    package init() {}

    func note(_ changed: some Sequence<EventID>) {
        events.withLock { $0.formUnion(changed) }
    }

    func take() -> Set<EventID> {
        events.withLock { events in
            defer { events = [] }
            return events
        }
    }
}

/// Passes on which events a batch has changed, once its transaction has ended.
///
/// Also when it failed, because a COMMIT whose answer was lost may have happened; one look too many does no harm.
package struct AvailabilityTelling: BatchHandler {
    private let inner: any BatchHandler
    private let changed: ChangedEvents
    private let feed: AvailabilityFeed

    package init(_ inner: any BatchHandler, changed: ChangedEvents, to feed: AvailabilityFeed) {
        self.inner = inner
        self.changed = changed
        self.feed = feed
    }

    package func handle(_ batch: [Envelope]) async throws -> [Outcome] {
        defer { feed.note(changed.take()) }
        return try await inner.handle(batch)
    }
}
