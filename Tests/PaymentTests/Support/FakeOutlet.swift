import FleetRuntime
import RabbitMQ
import Synchronization

/// A broker that takes everything, or dies when told to.
final class FakeOutlet: Outlet {
    struct Dead: Error {}

    private struct State {
        var publications: [Publication] = []
        var isDead = false
    }

    private let state = Mutex(State())

    func open() async throws {}
    func close() async {}

    func publish(_ batch: [Publication]) async throws -> [Refusal] {
        try state.withLock { state in
            if state.isDead { throw Dead() }
            state.publications += batch
            return []
        }
    }

    func die() { state.withLock { $0.isDead = true } }
    func live() { state.withLock { $0.isDead = false } }

    var kinds: [String] { state.withLock { $0.publications.compactMap(\.properties.type) } }
    var ids: [String] { state.withLock { $0.publications.compactMap(\.properties.messageID) } }
    var publications: [Publication] { state.withLock { $0.publications } }
}
