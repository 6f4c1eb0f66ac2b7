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
