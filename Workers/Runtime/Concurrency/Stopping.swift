import Connections
import ServiceLifecycle

/// The process is stopping, and what was under way is left for the next one to find.
package struct Interrupted: Error {}

/// Runs work that is cancelled as soon as the process is asked to stop.
package func cancelledWhenStopping<R: Sendable>(_ work: @escaping @Sendable () async throws -> R) async throws -> R {
    let task = RuntimeEnvironment.task(work)
    return try await withTaskCancellationOrGracefulShutdownHandler {
        try await task.value
    } onCancelOrGracefulShutdown: {
        task.cancel()
    }
}

/// Sleeps, but not longer than the process is wanted.
package func sleepUnlessStopped(_ pause: Duration) async {
    do {
        try await cancelledWhenStopping { try await RuntimeEnvironment.sleep(for: pause) }
    } catch {
        // Being woken early is the point: the caller looks at the shutdown flag next.
        return
    }
}
