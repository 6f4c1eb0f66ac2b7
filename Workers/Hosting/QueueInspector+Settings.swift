import FleetInspection
import Logging

extension QueueInspector {
    /// Looks at the broker of the settings.
    ///
    /// - Throws: `BrokerError` for an address that is none.
    package init(_ settings: Settings, name: String = "turnstile orchestrator: inspection", logger: Logger) throws {
        try self.init(
            brokerURL: settings.brokerURL, managementURL: settings.managementURL, name: name, logger: logger)
    }
}
