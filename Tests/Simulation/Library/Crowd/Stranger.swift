import Contracts
import Engine
import FleetStorage
import FoundationEssentials
import OrchestratorService
import SagaCore

/// A stranger who works out the ids that other purchases' messages will have, and cancels purchases of its own under
/// them.
struct Stranger<Definition: PurchaseDefinition>: Sendable {
    private static var purchases: Int { 3 }

    private let fleet: SimulatedFleet<Definition>
    private let post: UpstreamPost<Definition>
    private let universe: Universe

    init(_ fleet: SimulatedFleet<Definition>, _ post: UpstreamPost<Definition>) {
        self.fleet = fleet
        self.post = post
        universe = fleet.universe
    }

    func play(for event: EventID) async {
        for number in 0..<Self.purchases {
            await universe.timeline.wait(for: universe.pause(from: .milliseconds(200), to: .seconds(5)))
            guard let own = await begin(number, for: event), let victim = victim(of: own) else { continue }
            let chosen = ids(of: victim)
            let id = chosen[universe.number(in: 0...chosen.count - 1)]
            universe.note(
                "a stranger cancels \(own.description.suffix(4)) under an id of \(victim.description.suffix(4))")
            post.publish(CancelPurchase(sagaId: own), id: id, answeredTo: nil)
        }
    }

    /// A purchase that stays unpaid for a while; nil when it does not come to be soon.
    private func begin(_ number: Int, for event: EventID) async -> SagaID? {
        let id = universe.draw { MessageID.make(at: 6, using: &$0) }
        let wish = StartPurchase(
            userId: "stranger-\(number)", eventId: event, tier: Stage.floor, quantity: 1, paymentMethod: "sim_never",
            holdSeconds: 10)
        post.publish(wish, id: id, answeredTo: nil)
        for _ in 0..<20 {
            await universe.timeline.wait(for: .milliseconds(100))
            if let saga = fleet.orchestrator.tables.requests["amqp:\(id)"]?.subject { return SagaID(saga) }
        }
        return nil
    }

    /// Somebody else's purchase that is under way.
    private func victim(of own: SagaID) -> SagaID? {
        let open = fleet.orchestrator.tables.sagas.values.map(\.record).filter {
            $0.id != own && $0.state.outcome == nil && !$0.request.userId.hasPrefix("stranger")
        }.map(\.id).sorted()
        return open.isEmpty ? nil : open[universe.number(in: 0...open.count - 1)]
    }

    /// The ids of the answers that a purchase without trouble waits for.
    private func ids(of saga: SagaID) -> [MessageID] {
        let steps: [(Int, MessageKind, MessageKind)] = [
            (1, .reserve, .reserved), (2, .charge, .captured), (3, .confirm, .confirmed),
        ]
        return steps.map { step, command, reply in
            .derived(from: MessageID.derived(from: saga, step: step, kind: command).uuid, reply.rawValue)
        }
    }
}
