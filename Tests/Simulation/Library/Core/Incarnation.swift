import Connections
import FleetRuntime
import FoundationEssentials
@_spi(TestKit) import ServiceLifecycle
import Synchronization

/// The process has died; nothing it still tries has any effect.
package struct Vanished: RecoverableFailure, CustomStringConvertible {
    package let isTransient = true
    package let description = "the process has died"
}

/// One process from its start to its death: the world as its code sees it.
package final class Incarnation: Surroundings {
    private struct State {
        var isDead = false
        var isStopping = false
        var working = 0
        var tasks: [Task<Void, Never>] = []
        var farewells: [@Sendable () -> Void] = []
    }

    package let universe: Universe
    package let name: String
    /// How far the machine's clock is off; databases have clocks of their own.
    private let skew: TimeInterval
    private let died: @Sendable () -> Void
    private let state = Mutex(State())
    private let shutdown = GracefulShutdownManager()
    /// How long a process may take to stop before it is killed.
    private static let grace = Duration.seconds(15)

    package init(_ name: String, in universe: Universe, skew: TimeInterval = 0, died: @escaping @Sendable () -> Void) {
        self.universe = universe
        self.name = name
        self.skew = skew
        self.died = died
    }

    package var date: Date { universe.timeline.date.addingTimeInterval(skew) }
    package var instant: ContinuousClock.Instant { universe.timeline.instant }
    package var executor: any TaskExecutor { universe.executor }
    package func random() -> UInt64 { universe.random() }

    package func sleep(for pause: Duration) async throws {
        guard !isDead else { throw CancellationError() }
        try await universe.timeline.sleep(for: pause)
        guard !isDead else { throw CancellationError() }
    }

    package var isDead: Bool { state.withLock { $0.isDead } }

    /// Runs work of this process until it ends or the process dies.
    package func start(_ work: @escaping @Sendable () async -> Void) {
        state.withLock { $0.working += 1 }
        let task = RuntimeEnvironment.$simulated.withValue(self) {
            TaskLocals.$gracefulShutdownManager.withValue(shutdown) {
                Task(executorPreference: universe.executor) {
                    await work()
                    self.state.withLock { $0.working -= 1 }
                }
            }
        }
        state.withLock { $0.tasks.append(task) }
    }

    /// Whether a load balancer would still send requests here.
    package var isServing: Bool { state.withLock { !$0.isDead && !$0.isStopping } }

    /// Asks the process to finish what it has in hand and end, as SIGTERM does; kills it when that takes too long.
    package func stop() async {
        state.withLock { $0.isStopping = true }
        universe.note("\(name) is asked to stop")
        shutdown.shutdownGracefully()
        let deadline = universe.timeline.now + Self.grace
        while state.withLock({ !$0.isDead && $0.working > 0 }) && universe.timeline.now < deadline {
            await universe.timeline.wait(for: .milliseconds(100))
        }
        guard !isDead else { return }
        if state.withLock({ $0.working > 0 }) { universe.note("\(name) is killed after its grace") }
        die()
        died()
    }

    /// Is told when the process dies, at that very moment.
    package func atDeath(_ farewell: @escaping @Sendable () -> Void) {
        state.withLock { $0.farewells.append(farewell) }
    }

    /// Ends the process between two steps; what it had not made durable is gone.
    package func die() {
        let (tasks, farewells) = state.withLock { state in
            defer { state = State(isDead: true, working: state.working) }
            return state.isDead ? ([], []) : (state.tasks, state.farewells)
        }
        for farewell in farewells { farewell() }
        for task in tasks { task.cancel() }
    }

    /// One step towards the outside takes its time; the process may die before it, and then it does not happen.
    package func step() async throws(Vanished) {
        guard !isDead else { throw Vanished() }
        await universe.timeline.wait(for: universe.pause(from: .microseconds(50), to: .milliseconds(3)))
        guard !isDead else { throw Vanished() }
        if universe.countStep() { try perish() }
    }

    /// The process may die right after an effect, before it hears of it.
    package func survive() throws(Vanished) {
        guard !isDead else { throw Vanished() }
        if universe.countEffect() { try perish() }
    }

    private func perish() throws(Vanished) {
        universe.note("\(name) dies")
        die()
        died()
        throw Vanished()
    }
}
