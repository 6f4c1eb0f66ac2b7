import FleetRuntime
import ServiceLifecycle

/// Asks the cache now and then, so that an idle orchestrator knows that it went away, and that it came back.
package struct CachePulse: Service {
    private static let period = Duration.seconds(5)

    let hints: AvailabilityHints

    package init(hints: AvailabilityHints) {
        self.hints = hints
    }

    package func run() async throws {
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            await hints.probe()
            await sleepUnlessStopped(Self.period)
        }
    }
}
