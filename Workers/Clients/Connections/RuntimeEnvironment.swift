import struct FoundationEssentials.Date

/// The clocks, the chance and the threads of a simulated world.
package protocol Surroundings: Sendable {
    var date: Date { get }
    var instant: ContinuousClock.Instant { get }
    /// Where tasks run that nobody waits for in their own scope.
    var executor: any TaskExecutor { get }
    /// - Throws: `CancellationError` when the task is cancelled first.
    func sleep(for pause: Duration) async throws
    func random() -> UInt64
}

/// The clocks, the chance and the threads that code works with: the machine's, unless a simulation lends its own.
///
/// Whoever asks here instead of the machine can be run again and again in the same order from one seed.
package enum RuntimeEnvironment {
    @TaskLocal package static var simulated: (any Surroundings)?

    package static var date: Date { simulated?.date ?? Date() }

    package static var instant: ContinuousClock.Instant { simulated?.instant ?? .now }

    /// A source of random numbers.
    package static var chance: Chance { Chance(simulated: simulated) }

    package static func random(in range: ClosedRange<Double>) -> Double {
        var chance = chance
        return Double.random(in: range, using: &chance)
    }

    package static func sleep(for pause: Duration) async throws {
        if let simulated { try await simulated.sleep(for: pause) } else { try await Task.sleep(for: pause) }
    }

    /// Starts work that outlives its scope.
    ///
    /// - Parameter executor: where it had better run; nil for wherever there is room.
    @discardableResult
    package static func task<R: Sendable>(
        on executor: (any TaskExecutor)? = nil, _ work: @escaping @Sendable () async -> R
    ) -> Task<R, Never> {
        Task(executorPreference: simulated?.executor ?? executor) { await work() }
    }

    /// Starts work that outlives its scope and may fail.
    @discardableResult
    package static func task<R: Sendable>(
        on executor: (any TaskExecutor)? = nil, _ work: @escaping @Sendable () async throws -> R
    ) -> Task<R, any Error> {
        Task(executorPreference: simulated?.executor ?? executor) { try await work() }
    }
}

/// The random numbers of the machine, or of a simulation.
package struct Chance: RandomNumberGenerator, Sendable {
    fileprivate let simulated: (any Surroundings)?

    package func next() -> UInt64 {
        if let simulated { return simulated.random() }
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}
