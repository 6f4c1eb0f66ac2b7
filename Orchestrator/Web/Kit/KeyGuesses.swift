import Connections
import CoreMetrics
import FleetRuntime
import Synchronization

/// Counts wrong operator keys by address: ten at once, then one every six seconds (GCRA).
///
/// Bounded: past its capacity those are forgotten who have waited longest.
package final class KeyGuesses: Sendable {
    private static let burst = 10
    private static let interval = Duration.seconds(6)

    /// When each address will have made good for all its wrong keys.
    private let debts = Mutex<[String: ContinuousClock.Instant]>([:])
    private let capacity: Int
    private let refused = Labelled<Counter>(.operatorKeysRefused, by: "reason", expecting: ["wrong", "limited"])

    package init(capacity: Int = 10_000) {
        self.capacity = capacity
    }

    /// How many addresses are remembered.
    package var count: Int { debts.withLock { $0.count } }

    /// How many seconds the address must wait before it is listened to; nil if it need not.
    package func pause(for address: String) -> Int? {
        let pause = seconds(of: debts.withLock { $0[address] })
        if pause != nil { refused["limited"].increment() }
        return pause
    }

    /// Notes a wrong key, and answers as `pause` does from now on.
    package func note(from address: String) -> Int? {
        refused["wrong"].increment()
        let now = RuntimeEnvironment.instant
        let debt = debts.withLock { debts in
            let debt = max(debts[address] ?? now, now) + Self.interval
            if debts[address] == nil, debts.count >= capacity { Self.forget(&debts, now) }
            debts[address] = debt
            return debt
        }
        return seconds(of: debt)
    }

    private func seconds(of debt: ContinuousClock.Instant?) -> Int? {
        guard let debt else { return nil }
        let excess = (debt - RuntimeEnvironment.instant) - Self.interval * (Self.burst - 1)
        return excess > .zero ? Int(excess.seconds.rounded(.up)) : nil
    }

    private static func forget(_ debts: inout [String: ContinuousClock.Instant], _ now: ContinuousClock.Instant) {
        let kept = debts.filter { $0.value > now }.sorted { $0.value > $1.value }.prefix(debts.count / 2)
        debts = Dictionary(kept.map { ($0.key, $0.value) }) { first, _ in first }
    }
}
