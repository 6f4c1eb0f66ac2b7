import ServiceLifecycle

/// The process is stopping, and what was under way is left for the next one to find.
package struct Interrupted: Error {}

/// Sleeps, but not longer than the process is wanted.
package func sleepUnlessStopped(_ pause: Duration) async {
    do {
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: pause) }
    } catch {
        // Being woken early is the point: the caller looks at the shutdown flag next.
        return
    }
}
