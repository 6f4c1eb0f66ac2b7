import FleetRuntime
import RabbitMQ
import Synchronization

/// A broker that confirms everything and remembers it, or fails as often as it was told to.
final class RecordingOutlet: Outlet {
    struct Crash: Error {}

    private struct State {
        var published: [Publication] = []
        var failures: Int
    }

    private let state: Mutex<State>

    init(failures: Int = 0) {
        state = Mutex(State(failures: failures))
    }

    var published: [Publication] { state.withLock { $0.published } }

    func open() async throws {}

    /// What it fails to confirm has reached the queue all the same, as after a lost connection.
    func publish(_ batch: [Publication]) async throws -> [Refusal] {
        try state.withLock { state in
            state.published += batch
            if state.failures > 0 {
                state.failures -= 1
                throw Crash()
            }
        }
        return []
    }

    func close() async {}
}
