import Contracts
import Engine
import FleetStorage
import FoundationEssentials
import OrchestratorService
import Purchases
import RabbitMQ
import Reservation
import SagaCore
import Synchronization

/// The buyers of one run: they ask, ask again when no answer comes, change their minds.
package final class Crowd<Definition: PurchaseDefinition>: Sendable {
    /// When a buyer who has heard nothing gives up; long after every storm.
    static var patience: Duration { .seconds(300) }

    package let promises = Promises()
    private let fleet: SimulatedFleet<Definition>
    private let post: UpstreamPost<Definition>
    private let universe: Universe

    package init(_ fleet: SimulatedFleet<Definition>) {
        self.fleet = fleet
        universe = fleet.universe
        post = UpstreamPost(fleet)
    }

    /// Puts the event on sale and returns its id once the reservation worker has its stock.
    package func publishEvent() async throws -> EventID {
        let id = universe.draw { MessageID.make(at: 1, using: &$0) }
        let event = Stage.event(at: universe.timeline.date)
        try await post.send(event, id: id)
        while universe.timeline.now < .seconds(60) {
            await universe.timeline.wait(for: .milliseconds(200))
            guard let event = fleet.orchestrator.tables.requests["amqp:\(id)"]?.subject.map(EventID.init) else {
                continue
            }
            if fleet.reservation.tables.tiers.values.filter({ $0.id.event == event }).count == 2 { return event }
        }
        throw NoStock()
    }

    private struct NoStock: Error {}

    /// Plays every buyer to the end.
    package func play(_ buyers: [Buyer]) async {
        await withTaskGroup { group in
            if let event = buyers.first?.wish.eventId { group.addTask { await self.post.buyUnheard(event) } }
            group.addTask { await self.publishLate() }
            for buyer in buyers {
                group.addTask {
                    await self.universe.timeline.wait(for: buyer.arrival)
                    await self.play(buyer)
                }
            }
        }
    }

    /// Puts another event on sale in the middle of the storm, so that its news may be lost.
    private func publishLate() async {
        let id = universe.draw { MessageID.make(at: 7, using: &$0) }
        let event = Stage.event(at: universe.timeline.date)
        await universe.timeline.wait(for: universe.pause(from: .seconds(1), to: .seconds(20)))
        while fleet.orchestrator.tables.requests["amqp:\(id)"] == nil, universe.timeline.now < Self.patience {
            do {
                try await post.send(event, id: id)
            } catch {
                universe.condemn("an event cannot be written: \(error)")
            }
            await universe.timeline.wait(for: .seconds(3))
        }
    }

    private func play(_ buyer: Buyer) async {
        universe.note(
            "\(buyer.key) wants \(buyer.wish.quantity ?? buyer.wish.seats?.count ?? 0) in \(buyer.wish.tier ?? "?"), pays \(buyer.wish.paymentMethod ?? "?")"
        )
        await post.observe(buyer, promises)
        guard let saga = await (buyer.isUpstream ? post.buy(buyer, promises) : buy(buyer)) else { return }
        if let pause = buyer.cancelAfter {
            await universe.timeline.wait(for: pause)
            universe.note("\(buyer.key) cancels \(saga.description.suffix(4))")
            await (buyer.isUpstream ? post.cancel(saga, of: buyer, promises) : ask(.cancelRequested, of: saga))
        }
        if let pause = buyer.refundAfter {
            await universe.timeline.wait(for: pause)
            universe.note("\(buyer.key) wants the money of \(saga.description.suffix(4)) back")
            await ask(.refundRequested, of: saga)
        }
    }

    /// Asks until there is an answer, and now and then once more, as a client whose connection broke would.
    private func buy(_ buyer: Buyer) async -> SagaID? {
        let ask = StartAsk(
            wish: buyer.wish, key: "http:\(buyer.key)", messageID: nil, replyTo: nil, correlationID: nil,
            traceparent: nil)
        var repeats = universe.number(in: 0...2) == 0 ? 1 : 0
        while universe.timeline.now < Self.patience {
            if let answer = await attempt({ try await $0.start(ask) }) {
                switch answer {
                case .rejected(let problem):
                    universe.note("\(buyer.key) is told \(problem.code.rawValue)")
                    promises.reject(buyer.key, problem.code)
                    guard repeats > 0 else { return promises.accepted[buyer.key] }
                    repeats -= 1
                    await universe.timeline.wait(for: universe.pause(from: .milliseconds(100), to: .seconds(20)))
                case .accepted(let saga, _, _):
                    universe.note("\(buyer.key) is promised \(saga.description.suffix(4))")
                    promises.accept(buyer.key, saga)
                    guard repeats > 0 else { return saga }
                    repeats -= 1
                }
            }
            await universe.timeline.wait(for: universe.pause(from: .milliseconds(100), to: .seconds(3)))
        }
        universe.condemn("I8: \(buyer.key) is never answered")
        return nil
    }

    private func ask(_ input: PurchaseInput, of saga: SagaID) async {
        let message = universe.draw { MessageID.make(at: 2, using: &$0) }
        let event = SagaEvent(
            sagaID: saga, messageID: message, input: input, answeredStep: nil, traceparent: nil)
        while true {
            if let result = await attempt({ try await $0.advance(event) }) { return note(input, of: saga, result) }
            guard universe.timeline.now < Self.patience else {
                return universe.condemn("I8: a \(input.name) of \(saga) is never answered")
            }
            await universe.timeline.wait(for: universe.pause(from: .milliseconds(100), to: .seconds(3)))
        }
    }

    /// Whoever is answered 202 has a promise.
    private func note(_ input: PurchaseInput, of saga: SagaID, _ result: SagaResult<Definition>) {
        let problem =
            switch result {
            case .taken, .repeated: Problem?.none
            case .ignored(_, let state):
                input == .cancelRequested
                    ? CancelRules.problem(in: state, of: saga) : RefundRules.problem(in: state, of: saga)
            case .unknownSaga: Problem(.notFound, "there is no saga \(saga)")
            }
        if problem == nil && input == .cancelRequested { promises.turnBack(saga) }
        if problem == nil && input == .refundRequested { promises.refund(saga) }
    }

    /// Hears what came late, when everything is at rest.
    package func conclude() {
        post.conclude(promises)
    }

    /// Plays a stranger who knows every id that the fleet makes.
    package func playStranger(for event: EventID) async {
        await Stranger(fleet, post).play(for: event)
    }

    private func attempt<R: Sendable>(
        _ request: (PurchaseIntake<Definition>) async throws -> R
    ) async -> R? {
        guard let door = fleet.frontDoor() else { return nil }
        do {
            let answer = try await door.request(request)
            // An answer that its process did not live to send is none.
            return door.process.isDead ? nil : answer
        } catch {
            universe.note("a request fails: \(error)")
            return nil
        }
    }
}
