/// One scenario in one of its variants: the fleet it needs, and what is done to it.
struct Trial: Sendable {
    let scenario: String
    var variant = ""
    var layout = Layout()
    var stock = Stock.fresh
    /// The same work by the program that does the least, for comparison.
    var floor: FloorRun?
    /// The same work by the peers.
    var peers: [Peer] = []
    let play: @Sendable (Stage) async throws -> Findings

    var title: String { variant.isEmpty ? scenario : "\(scenario) \(variant)" }

    /// Whose database the fleet works on.
    enum Stock: Sendable, Equatable {
        /// Empty tables.
        case fresh
        /// A database that is kept from round to round once it has so many finished sagas.
        case kept(String, sagas: Int)

        var database: String {
            switch self {
            case .fresh: "turnstile"
            case .kept(let name, _): name
            }
        }
    }
}

/// The processes of a fleet: how many of each worker, and how many lanes in each process.
struct Layout: Sendable {
    var replicas = 1
    var lanes = 1
}

/// The floor program's share in a comparison.
struct FloorRun: Sendable {
    let purchases: Int
    /// A second; 0 is as fast as it goes.
    var rate = 0
    var events = 64
    /// Also after the fleet, because the machine's speed drifts.
    var isAlsoAfter = false
}
