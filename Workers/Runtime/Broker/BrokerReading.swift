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

/// A queue or exchange that the fleet cannot work with.
package struct TopologyFlaw: Codable, Sendable, Equatable {
    package enum Kind: String, Codable, Sendable { case queue, exchange }
    package enum State: String, Codable, Sendable { case missing, wrong }

    package let kind: Kind
    package let name: String
    package let state: State
    /// What is different; empty for what is missing.
    package let detail: String

    package init(kind: Kind, name: String, state: State, detail: String) {
        self.kind = kind
        self.name = name
        self.state = state
        self.detail = detail
    }

    package var line: String {
        switch state {
        case .missing: "\(kind) \(name) is missing"
        case .wrong: "\(kind) \(name) is wrongly declared: \(detail)"
        }
    }
}
