import Connections
import Contracts
import FleetRuntime
import FoundationEssentials
import Synchronization

/// What Redis is told in passing of who is buying what now.
///
/// It is a hint for other processes; without Redis nothing is told.
package struct PurchaseHints: Sendable {
    /// From one telling of marks to the next; what gathers meanwhile shares a round trip.
    private static let pause = Duration.milliseconds(50)

    private let cache: any PurchaseCache
    private let health: HealthRegistry
    private let unsaid = PendingCacheWrites()

    package init(_ cache: any PurchaseCache, health: HealthRegistry) {
        self.cache = cache
        self.health = health
    }

    /// Marks purchases as begun or ended, in order, some time soon; nobody waits for that.
    func note(_ marks: [IntentMark]) {
        guard !marks.isEmpty, unsaid.add(marks) else { return }
        RuntimeEnvironment.task { await say() }
    }

    private func say() async {
        while let marks = unsaid.next() {
            await health.watching("redis", orElse: ()) { try await cache.note(marks) }
            await sleepUnlessStopped(Self.pause)
        }
    }
}

/// Marks on their way to the cache; when it is slow the newest are left out, for they are hints.
private final class PendingCacheWrites: Sendable {
    private static let capacity = 20_000

    private let state = Mutex((marks: [IntentMark](), isBeingSaid: false))

    /// Whether somebody must begin to say them.
    func add(_ marks: [IntentMark]) -> Bool {
        state.withLock { state in
            if state.marks.count + marks.count <= Self.capacity { state.marks += marks }
            defer { state.isBeingSaid = true }
            return !state.isBeingSaid
        }
    }

    /// All that have gathered; nil, and nobody says them any more, when there are none.
    func next() -> [IntentMark]? {
        state.withLock { state in
            state.isBeingSaid = !state.marks.isEmpty
            guard state.isBeingSaid else { return nil }
            defer { state.marks = [] }
            return state.marks
        }
    }
}

/// One user's wish for one event.
package struct Intent: Sendable, Hashable {
    package let event: EventID
    package let user: String

    package init(event: EventID, user: String) {
        self.event = event
        self.user = user
    }

    /// The form in which PostgreSQL keeps it unique.
    var text: String { "\(event):\(user)" }
}
