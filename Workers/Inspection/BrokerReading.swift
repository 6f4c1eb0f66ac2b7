import FleetRuntime

/// The fleet's broker as one look finds it.
package struct BrokerReading: Codable, Sendable {
    package var queues: [QueueReading]
    /// Queues and exchanges that are missing, or are not as the fleet needs them.
    package let flaws: [TopologyFlaw]
    /// Why the broker accepts no messages; empty while it does.
    package let alarms: [BrokerAlarm]
    /// What could not be asked, and why.
    package let remarks: [String]
}

/// A resource that a node has too little of; until that is mended no publisher gets a message through.
package struct BrokerAlarm: Codable, Sendable, Equatable {
    package enum Resource: String, Codable, Sendable { case disk, memory, unknown }

    package let resource: Resource
    /// Only the management API names it.
    package let node: String?
    /// The broker's own words or numbers.
    package let detail: String

    package init(resource: Resource, node: String?, detail: String) {
        self.resource = resource
        self.node = node
        self.detail = detail
    }
}
