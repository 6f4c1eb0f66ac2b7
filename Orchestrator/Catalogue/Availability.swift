import Connections
import Contracts
import FoundationEssentials

/// What is left of an event: from the cache if it knows, else from the stock itself, asked once for all who wait.
///
/// The cache forgets an event that rests, so a storm on one would be a storm on the database; what was just read there is
/// kept for a moment.
package actor Availability {
    /// How long the stock's own answer is good for others.
    private static let moment = Duration.milliseconds(500)
    private static let capacity = 2_000

    private let hints: AvailabilityHints
    private let stock: any StockView
    private var recent: [EventID: (answer: CachedAvailability, end: ContinuousClock.Instant)] = [:]
    private var underWay: [EventID: Task<CachedAvailability, any Error>] = [:]

    package init(hints: AvailabilityHints, stock: any StockView) {
        self.hints = hints
        self.stock = stock
    }

    package func of(_ event: EventID) async throws -> CachedAvailability {
        if let cached = await hints.availability(of: [event])[event], cached.isPlausible { return cached }
        if let answer = recent[event], answer.end > RuntimeEnvironment.instant { return answer.answer }
        if let task = underWay[event] { return try await task.value }
        let task = Task { try await stock.availability(of: event) }
        underWay[event] = task
        defer { underWay[event] = nil }
        let answer = try await task.value
        if recent.count >= Self.capacity { recent = [:] }
        recent[event] = (answer, RuntimeEnvironment.instant + Self.moment)
        return answer
    }

    /// Waits a moment for a new event's stock, so that whoever published it can sell at once.
    package func untilStocked(_ event: EventID, tiers: Int) async {
        for _ in 0..<100 {
            do {
                if try await stock.availability(of: event).tiers.count >= tiers { return }
                try await Task.sleep(for: .milliseconds(20))
            } catch {
                // The event is on sale in any case; its first buyers may be retried until the stock is there.
                return
            }
        }
    }
}

extension CachedAvailability {
    /// Whether the numbers can be true at all; a poisoned cache is not shown to anybody.
    var isPlausible: Bool {
        !tiers.isEmpty && tiers.allSatisfy { $0.available >= 0 && $0.available <= $0.capacity }
    }
}
