import Contracts
import FleetRuntime
import FoundationEssentials
import Synchronization
import WireJSON

/// A stop of selling, by an operator.
package struct SalesPause: Codable, Sendable {
    /// Nil for all events.
    package let eventId: EventID?
    package let reason: String
    package let since: Date
}

/// Where the pauses are written down.
package protocol PauseStore: Sendable {
    func pauses() async throws -> [SalesPause]
}

/// The pauses as this process knows them, read again twice a second, so that a start asks no database.
package final class SalesPauses: Sendable {
    private let book: (any PauseStore)?
    private let known = Mutex<[EventID?: SalesPause]?>(nil)

    /// - Parameter book: nil where nothing is ever paused.
    package init(_ book: (any PauseStore)? = nil) {
        self.book = book
    }

    /// Why purchases of the events cannot start now; those that can are left out.
    ///
    /// - Throws: when the pauses have never been read and cannot be, for then nobody knows.
    package func problems(for events: Set<EventID>) async throws -> [EventID: Problem] {
        let pauses: [EventID?: SalesPause]
        if let read = known.withLock({ $0 }) { pauses = read } else { pauses = try await read() }
        guard !pauses.isEmpty else { return [:] }
        return events.reduce(into: [:]) { problems, event in
            problems[event] = (pauses[nil] ?? pauses[event]).map(Self.problem)
        }
    }

    private static func problem(_ pause: SalesPause) -> Problem {
        let what = pause.eventId == nil ? "nothing is sold" : "this event is not sold"
        return Problem(
            .salesPaused,
            "\(what) since \(WireFormat.text(of: pause.since)): \(pause.reason); try again later, under a new key")
    }

    /// Reads the pauses anew.
    @discardableResult
    package func read() async throws -> [EventID?: SalesPause] {
        let pauses = try await book?.pauses() ?? []
        let byEvent = Dictionary(pauses.map { ($0.eventId, $0) }) { first, _ in first }
        known.withLock { $0 = byEvent }
        return byEvent
    }
}

/// Keeps what the process knows of pauses no older than a second.
package struct PauseWatch: PeriodicJob {
    package static let period = Duration.milliseconds(500)

    package let name = "pauses"
    let pauses: SalesPauses

    package init(pauses: SalesPauses) {
        self.pauses = pauses
    }

    package func runOnce() async throws -> Int {
        try await pauses.read()
        return 0
    }
}
