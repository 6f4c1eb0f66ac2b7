import Contracts
import FleetRuntime
import Synchronization

/// What publishes to queues outside the fleet, one per role of a process, made when it is first needed.
final class ExternalPublishers: Sendable {
    private struct State {
        var stores: [FleetRole: any UndeliveredStore] = [:]
        var publishers: [FleetRole: ExternalPublisher] = [:]
    }

    private let state = Mutex(State())

    func keepUndelivered(of role: FleetRole, in store: any UndeliveredStore) {
        state.withLock { $0.stores[role] = store }
    }

    func publisher(
        of role: FleetRole, making make: ((any UndeliveredStore)?) throws -> ExternalPublisher
    ) throws -> ExternalPublisher {
        try state.withLock { state in
            if let publisher = state.publishers[role] { return publisher }
            let publisher = try make(state.stores[role])
            state.publishers[role] = publisher
            return publisher
        }
    }
}
