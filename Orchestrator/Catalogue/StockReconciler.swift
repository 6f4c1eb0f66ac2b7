import FleetRuntime

/// Sends an event's stock again until the reservation worker shows all of it, so that no lost message leaves an event
/// on sale with nothing to sell.
package struct StockReconciler: PeriodicJob {
    package let name = "stock keeper"
    static let batch = 20

    let book: any EventStore
    let signal: AsyncSignal

    package init(_ book: any EventStore, signal: AsyncSignal) {
        self.book = book
        self.signal = signal
    }

    package func runOnce() async throws -> Int {
        let missing = try await book.restock(Self.batch) { id, event in
            try StockParts.commands(for: event, id: id, traceparent: TraceContext.root(id))
        }
        if missing > 0 { signal.fire() }
        return missing
    }
}
