import FleetRuntime
import RabbitMQ
import Synchronization

/// One publishing connection to the simulated broker.
package final class MemoryOutlet: Outlet {
    private let broker: MemoryBroker
    private let process: Incarnation
    /// The broker's epoch at which this connection was opened.
    private let epoch = Mutex<Int?>(nil)

    package init(_ broker: MemoryBroker, _ process: Incarnation) {
        self.broker = broker
        self.process = process
    }

    package func open() async throws {
        try await process.step()
        let current = try broker.state.withLock { state in
            guard !state.isDown else { throw BrokerError(.connectionLost, during: "open", "simulated") }
            return state.epoch
        }
        epoch.withLock { $0 = current }
    }

    package func close() async {
        epoch.withLock { $0 = nil }
    }

    package func publish(_ batch: [Publication]) async throws -> [Refusal] {
        guard let opened = epoch.withLock({ $0 }) else {
            throw BrokerError(.closed, during: "publish", "simulated")
        }
        try await process.step()
        let (isCurrent, isBlocked) = broker.state.withLock { ($0.epoch == opened && !$0.isDown, $0.isBlocked) }
        guard isCurrent else { throw lost() }
        guard !isBlocked else { throw BrokerError(.blocked, during: "publish", "simulated") }
        let universe = broker.universe
        // A connection that breaks has taken some messages of the batch: none, a few, or all.
        let reach = universe.happens(\.lostBroker) ? universe.number(in: 0...batch.count) : nil
        var refusals: [Refusal] = []
        for (index, publication) in batch.prefix(reach ?? batch.count).enumerated() {
            if universe.happens(\.nack) {
                refusals.append(Refusal(index: index, reason: .nacked))
                continue
            }
            switch broker.route(publication) {
            case .taken: break
            case .refused: refusals.append(Refusal(index: index, reason: .nacked))
            case .noRoute where publication.isMandatory:
                refusals.append(Refusal(index: index, reason: .returned(code: 312, text: "NO_ROUTE")))
            case .noRoute: break
            }
        }
        universe.note(
            "\(process.name) sends \(batch.prefix(reach ?? batch.count).map(\.label).joined(separator: ", "))")
        try process.survive()
        if reach != nil { throw lost() }
        return refusals
    }

    private func lost() -> BrokerError {
        epoch.withLock { $0 = nil }
        return BrokerError(.connectionLost, during: "publish", "simulated")
    }
}
