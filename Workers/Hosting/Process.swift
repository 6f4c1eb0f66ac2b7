import Connections
import CoreMetrics
import FleetRuntime
import Logging
import ServiceLifecycle
import UnixSignals

/// Starts a process of the fleet: settings, logs, metrics, signals; then runs its services until it is told to stop.
package enum FleetProcess {
    /// Exit status for settings that cannot work (`EX_CONFIG` of sysexits).
    private static let badSettings: Int32 = 78
    /// Exit status for a service that cannot go on (`EX_UNAVAILABLE` of sysexits).
    private static let unavailable: Int32 = 69

    package static func main(_ name: String, services: (Fleet) throws -> [any Service]) async {
        ignoreBrokenPipes()
        Descriptors.raiseLimit()
        let settings = readSettings(name)
        LoggingSystem.bootstrap { _ in
            FleetLogHandler(label: name, level: settings.logLevel, format: settings.logFormat)
        }
        let metrics = PrometheusRegistry()
        MetricsSystem.bootstrap(metrics)
        let logger = Logger(label: name)
        let fleet = Fleet(settings: settings, health: HealthRegistry(), metrics: metrics, logger: logger)
        let process = ProcessSamples(name: name)
        metrics.gather { process.samples() }
        logger.info("starting")
        do {
            var configuration = ServiceGroupConfiguration(
                services: [try Heartbeat(name, fleet)] + (try services(fleet)),
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            configuration.maximumGracefulShutdownDuration = .seconds(15)
            try await ServiceGroup(configuration: configuration).run()
        } catch {
            logger.critical("cannot go on", metadata: ["error": "\(error)"])
            StartupFailure.exit(status: unavailable, lines: ["\(name): \(error)"])
        }
        logger.info("stopped")
        leave()
    }

    private static func readSettings(_ name: String) -> Settings {
        do {
            return try Settings.fromEnvironment()
        } catch {
            StartupFailure.exit(status: badSettings, lines: error.mistakes.map { "\(name): \($0)" })
        }
    }
}
