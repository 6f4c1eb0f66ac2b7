import Engine
import FoundationEssentials
import OrchestratorService
import SagaCore

/// What came of a run.
package struct SimulationReport: Sendable {
    package let seed: UInt64
    /// What must never be and was; empty for a fleet that kept its promises.
    package let violations: [String]
    /// Every step, line by line, if it was recorded.
    package let history: [String]
    package let steps: Int
    package let sagas: Int
}

/// One run: a fleet sells in a storm that follows from a seed, then everything heals, comes to rest, and is judged.
package struct Simulation<Definition: PurchaseDefinition>: Sendable {
    /// How long the storm lasts, and how long the fleet may take to come to rest afterwards.
    private static var storm: Duration { .seconds(25) }
    private static var patience: Duration { .seconds(900) }

    let flaws: Flaws

    package init(flaws: Flaws = Flaws()) {
        self.flaws = flaws
    }

    package func run(seed: UInt64, recorded: Bool = false) -> SimulationReport {
        let universe = Universe(seed: seed, recorded: recorded)
        var plan = universe.draw { Plan.random(using: &$0) }
        plan.flaws = flaws
        let fleet = SimulatedFleet<Definition>(plan, in: universe)
        let isOver = universe.run { await Self.play(fleet) }
        if !isOver { universe.condemn("I4: the run came to a standstill") }
        return SimulationReport(
            seed: seed, violations: universe.violations, history: universe.history, steps: universe.steps,
            sagas: fleet.orchestrator.tables.sagas.count)
    }

    private static func play(_ fleet: SimulatedFleet<Definition>) async {
        let universe = fleet.universe
        let crowd = Crowd(fleet)
        fleet.start()
        do {
            let event = try await crowd.publishEvent()
            let buyers = universe.draw { chance in
                let count = Int.random(in: 3...24, using: &chance)
                return (0..<count).map { Buyer.random($0, for: event, using: &chance) }
            }
            let weather = universe.draw { Weather.random(using: &$0) }
            universe.note("\(weather)")
            universe.set(weather, crashingWithin: 400 + 200 * buyers.count, effects: 25 * buyers.count)
            async let nemesis: Void = Nemesis(fleet).rage(for: storm)
            async let sale: Void = crowd.play(buyers)
            async let stranger: Void = crowd.playStranger(for: event)
            _ = await (nemesis, sale, stranger)
        } catch {
            universe.condemn("the event cannot be published: \(error)")
        }
        await rest(fleet)
        crowd.conclude()
        for violation in Judge(fleet: fleet, promises: crowd.promises).violations { universe.condemn(violation) }
        fleet.stop()
    }

    /// Waits until nobody has anything left to do, however long the fleet's own patience makes that.
    private static func rest(_ fleet: SimulatedFleet<Definition>) async {
        let deadline = fleet.universe.timeline.now + patience
        while !fleet.isAtRest && fleet.universe.timeline.now < deadline {
            await fleet.universe.timeline.wait(for: .seconds(1))
        }
        fleet.universe.note(fleet.isAtRest ? "everything is at rest" : "patience has ended")
    }
}

extension SimulatedFleet {
    /// Whether every purchase has ended and no message, charge or timer is under way.
    fileprivate var isAtRest: Bool {
        broker.backlog == 0
            && orchestrator.tables.sagas.values.allSatisfy { $0.record.state.outcome != nil && $0.record.wakeAt == nil }
            && orchestrator.tables.outbox.isEmpty
            && (plan.flaws.hasNoPlaceKeeper || orchestrator.tables.events.values.allSatisfy { $0.placesDueAt == nil })
            && payment.tables.charges.values.allSatisfy { $0.dueAt == nil }
            && expiry.tables.timers.values.allSatisfy { $0.status != .scheduled }
    }
}
