import Connections
import Contracts
import FleetRuntime
import FoundationEssentials

/// What the recommendation worker knows of the events on sale.
package protocol EventPlaceStore: Sendable {
    /// Looks at events that it is not known to know, at most `limit`; adds the news of those that it does not know to the
    /// outbox, and lets each wait longer before the next look.
    ///
    /// - Returns: how many events were looked at, and of how many the news goes out again.
    func retell(
        _ limit: Int, with news: @Sendable (CatalogueEvent) throws -> OutgoingMessage
    ) async throws -> (looked: Int, told: Int)
}

/// Tells the recommendation worker of an event again until it knows it, so that no lost message leaves an event unfound.
///
/// The news goes to that worker alone: other listeners have had theirs.
package struct PlaceReconciler: PeriodicJob {
    package let name = "place keeper"
    package static let batch = 200

    let places: any EventPlaceStore
    let signal: AsyncSignal

    package init(_ places: any EventPlaceStore, signal: AsyncSignal) {
        self.places = places
        self.signal = signal
    }

    package func runOnce() async throws -> Int {
        let (looked, told) = try await places.retell(Self.batch) { event in
            OutgoingMessage(
                try EventPublishing.announcement(
                    of: event.event, id: event.id, traceparent: TraceContext.root(event.id)),
                to: .owner)
        }
        if told > 0 { signal.fire() }
        return looked
    }
}
