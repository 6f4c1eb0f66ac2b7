import SagaCore

/// Brings down servers while the storm lasts, and calms everything at its end.
struct Nemesis<Definition: PurchaseDefinition>: Sendable {
    private let fleet: SimulatedFleet<Definition>
    private let universe: Universe

    init(_ fleet: SimulatedFleet<Definition>) {
        self.fleet = fleet
        universe = fleet.universe
    }

    func rage(for storm: Duration) async {
        let weather = universe.weather
        let end = universe.timeline.now + storm
        await withTaskGroup { group in
            for _ in 0..<weather.wipes { group.addTask { await self.breakBroker(within: storm, losing: true) } }
            for _ in 0..<weather.blocks { group.addTask { await self.block(within: storm) } }
            for _ in 0..<weather.stops { group.addTask { await self.stopProcess(within: storm) } }
            for _ in 0..<weather.outages { group.addTask { await self.hideProvider(within: storm) } }
            for _ in 0..<weather.restarts {
                group.addTask { await self.breakBroker(within: storm, losing: false) }
                group.addTask { await self.restartDatabase(within: storm) }
            }
        }
        await universe.timeline.wait(for: end - universe.timeline.now)
        universe.set(.calm)
        universe.note("the storm is over")
    }

    private func breakBroker(within storm: Duration, losing lost: Bool) async {
        await universe.timeline.wait(for: moment(within: storm))
        universe.note(lost ? "the broker loses everything" : "the broker stops")
        fleet.broker.stop(losing: lost)
        await universe.timeline.wait(for: universe.pause(from: .milliseconds(100), to: .seconds(5)))
        fleet.broker.recover()
    }

    private func block(within storm: Duration) async {
        await universe.timeline.wait(for: moment(within: storm))
        universe.note("the broker takes no messages")
        fleet.broker.set(blocked: true)
        await universe.timeline.wait(for: universe.pause(from: .milliseconds(500), to: .seconds(6)))
        fleet.broker.set(blocked: false)
    }

    private func stopProcess(within storm: Duration) async {
        await universe.timeline.wait(for: moment(within: storm))
        await fleet.anyProcess()?.stop()
    }

    private func hideProvider(within storm: Duration) async {
        await universe.timeline.wait(for: moment(within: storm))
        universe.note("the provider cannot be reached")
        fleet.provider.set(reachable: false)
        await universe.timeline.wait(for: universe.pause(from: .seconds(1), to: .seconds(120)))
        if universe.number(in: 0...3) > 0 { return await loseTheNews() }
        fleet.provider.set(reachable: true)
    }

    /// The provider comes back while the orchestrator cannot listen, and the broker loses what it was to hear.
    private func loseTheNews() async {
        universe.note("the orchestrator loses its database")
        fleet.orchestrator.stop()
        fleet.provider.set(reachable: true)
        await universe.timeline.wait(for: universe.pause(from: .seconds(1), to: .seconds(20)))
        universe.note("the broker loses everything")
        fleet.broker.stop(losing: true)
        fleet.orchestrator.recover()
        fleet.broker.recover()
    }

    /// All schemas live on one server.
    private func restartDatabase(within storm: Duration) async {
        await universe.timeline.wait(for: moment(within: storm))
        universe.note("the database restarts")
        fleet.stopDatabase()
        await universe.timeline.wait(for: universe.pause(from: .milliseconds(100), to: .seconds(4)))
        fleet.recoverDatabase()
    }

    private func moment(within storm: Duration) -> Duration {
        storm * universe.draw { Double.random(in: 0...0.75, using: &$0) }
    }
}

extension SimulatedFleet {
    fileprivate func stopDatabase() {
        orchestrator.stop()
        reservation.stop()
        payment.stop()
        expiry.stop()
        notification.stop()
        recommendation.stop()
    }

    fileprivate func recoverDatabase() {
        orchestrator.recover()
        reservation.recover()
        payment.recover()
        expiry.recover()
        notification.recover()
        recommendation.recover()
    }
}
