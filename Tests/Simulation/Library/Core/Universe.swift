import Chance
import Connections
import FoundationEssentials
import Synchronization

/// Everything that one run of a simulation shares: its time, its chance, its weather, its history.
package final class Universe: Sendable {
    private struct State {
        var chance: SeededChance
        var weather: Weather
        var lines: [String] = []
        var violations: [String] = []
        var steps = 0
        var effects = 0
        var crashSteps: Set<Int> = []
        var crashEffects: Set<Int> = []
        var isOver = false
        var hasTakenMessagesAway = false
    }

    package let seed: UInt64
    private let isRecording: Bool
    package let executor = TurnExecutor()
    package let timeline = Timeline()
    private let state: Mutex<State>

    /// The history is only kept when it is `recorded`; a run can be repeated for it.
    package init(seed: UInt64, recorded: Bool) {
        self.seed = seed
        isRecording = recorded
        state = Mutex(State(chance: SeededChance(seed: seed), weather: .calm))
    }

    // MARK: - Chance

    package func random() -> UInt64 { state.withLock { $0.chance.next() } }

    package func draw<R: Sendable>(_ body: (inout SeededChance) -> R) -> R {
        state.withLock { body(&$0.chance) }
    }

    /// Whether something of this likelihood happens now; costs no chance where it cannot.
    package func happens(_ trouble: KeyPath<Weather, Double>) -> Bool {
        state.withLock { state in
            let likelihood = state.weather[keyPath: trouble]
            return likelihood > 0 && Double.random(in: 0..<1, using: &state.chance) < likelihood
        }
    }

    package func number(in range: ClosedRange<Int>) -> Int {
        draw { Int.random(in: range, using: &$0) }
    }

    /// A time between two, mostly near the shorter one.
    package func pause(from shortest: Duration, to longest: Duration) -> Duration {
        draw { chance in
            let part = Double.random(in: 0...1, using: &chance)
            return shortest + (longest - shortest) * (part * part * part)
        }
    }

    // MARK: - Weather

    package var weather: Weather { state.withLock { $0.weather } }

    /// Changes the weather; of its crashes some come before one of the next `steps`, some right after one of the next
    /// `effects`, where they do the most harm.
    package func set(_ weather: Weather, crashingWithin steps: Int = 1, effects: Int = 1) {
        state.withLock { state in
            state.weather = weather
            state.hasTakenMessagesAway = state.hasTakenMessagesAway || weather.takesMessagesAway
            state.crashSteps = []
            state.crashEffects = []
            for _ in 0..<weather.crashes {
                if Bool.random(using: &state.chance) {
                    state.crashSteps.insert(state.steps + Int.random(in: 1...steps, using: &state.chance))
                } else {
                    state.crashEffects.insert(state.effects + Int.random(in: 1...effects, using: &state.chance))
                }
            }
        }
    }

    /// Counts a step that a process is about to take; true when it must die before it.
    func countStep() -> Bool {
        state.withLock { state in
            state.steps += 1
            return state.crashSteps.contains(state.steps)
        }
    }

    /// Counts something that a process has brought about; true when it must die before it hears of it.
    func countEffect() -> Bool {
        state.withLock { state in
            state.effects += 1
            return state.crashEffects.contains(state.effects)
        }
    }

    package var steps: Int { state.withLock { $0.steps } }

    /// Whether the broker may have forgotten what it had confirmed.
    package var hasTakenMessagesAway: Bool { state.withLock { $0.hasTakenMessagesAway } }

    // MARK: - History

    package func note(_ line: @autoclosure () -> String) {
        guard isRecording else { return }
        let now = timeline.now
        let (seconds, attoseconds) = now.components
        let microseconds = attoseconds / 1_000_000_000_000
        let padded = String(1_000_000 + microseconds).dropFirst()
        let text = "\(seconds).\(padded) \(line())"
        state.withLock { $0.lines.append(text) }
    }

    /// Notes that something happened which must never happen.
    package func condemn(_ violation: String) {
        note("VIOLATION \(violation)")
        state.withLock { $0.violations.append(violation) }
    }

    package var history: [String] { state.withLock { $0.lines } }
    package var violations: [String] { state.withLock { $0.violations } }

    // MARK: - Running

    /// Runs a body and everything it starts until it returns and nobody has anything left to do.
    /// - Returns: whether the body came to its end.
    package func run(_ body: @escaping @Sendable () async -> Void) -> Bool {
        executor.claim()
        Task(executorPreference: executor) {
            await body()
            self.state.withLock { $0.isOver = true }
        }
        repeat { executor.runReady() } while timeline.advance()
        return state.withLock { $0.isOver }
    }
}
