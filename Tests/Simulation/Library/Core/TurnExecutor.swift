import DequeModule
import Synchronization

/// Runs every task of a simulation on the thread that calls `runReady`, one job after another, first come first served.
///
/// - Important: a job that arrives from another thread would make the order depend on the machine, so it is a trap.
package final class TurnExecutor: TaskExecutor {
    private struct State: ~Copyable {
        var ready = Deque<UnownedJob>()
        var thread: ThreadIdentity?
    }

    private let state = Mutex(State())

    package init() {}

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { state in
            precondition(state.thread == .current, "a task has left the simulation's thread")
            state.ready.append(job)
        }
    }

    /// Makes the calling thread the only one that may bring jobs.
    package func claim() {
        state.withLock { $0.thread = .current }
    }

    /// Runs jobs until there is none.
    package func runReady() {
        while let job = state.withLock({ $0.ready.popFirst() }) {
            unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
