import FleetRuntime
import ServiceLifecycle

/// Asks the cache now and then, so that an idle orchestrator knows that it went away, and that it came back.
struct CachePulse: Service {
    private static let period = Duration.seconds(5)

    let hints: PurchaseHints

    func run() async throws {
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            await hints.probe()
            await sleepUnlessStopped(Self.period)
        }
    }
}
