import FleetRuntime

/// Sends an event's stock again until the reservation worker shows all of it, so that no lost message leaves an event
/// on sale with nothing to sell.
package struct StockKeeper: Sweep {
    package let name = "stock keeper"
    static let batch = 20

    let book: any EventBook
    let bell: Bell

    package init(_ book: any EventBook, bell: Bell) {
        self.book = book
        self.bell = bell
    }

    package func sweep() async throws -> Int {
        let missing = try await book.restock(Self.batch) { id, event in
            try StockParts.commands(for: event, id: id, traceparent: TraceContext.root(id))
        }
        if missing > 0 { bell.ring() }
        return missing
    }
}
