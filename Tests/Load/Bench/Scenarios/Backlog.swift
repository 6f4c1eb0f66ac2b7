import Contracts
import TestKit

/// Starts pile up while every worker is away; then the workers come back and the pile goes down.
enum Backlog {
    /// A worker reads at most three batches ahead, however long its queue is.
    private static let workerBound = 100.0
    private static let orchestratorBound = 200.0

    static func trials(_ sizes: Sizes) -> [Trial] {
        [Trial(scenario: "backlog") { try await play($0, sizes.backlog) }]
    }

    private static func play(_ stage: Stage, _ count: Int) async throws -> Findings {
        let buyers = Buyers(try await stage.target.publishEvents(64))
        let rush = try Rush(stage.target, (0..<count).map { buyers[$0] })
        let first = SagaID.make()
        try await stage.fleet.stop(FleetRole.workers)
        let filling = ContinuousClock.now
        let taken = try await stage.measure {
            _ = try await rush.publish()
            try await until("the orchestrator has taken all starts", within: .seconds(600)) {
                try await stage.target.count("SELECT count(*) FROM orchestrator.saga WHERE id >= $1", [first.uuid])
                    == count
            }
            return ContinuousClock.now - filling
        }
        let waiting = try await stage.cleaner.messages().work
        let filled = stage.meter.take()
        try await stage.fleet.start(FleetRole.workers)
        let draining = ContinuousClock.now
        try await stage.measure { try await rush.untilAllTold(within: .seconds(1_800)) }
        let drained = ContinuousClock.now - draining
        try await stage.target.demandCompleted(count, since: first)
        let memory = stage.meter.peaks
        var findings = Findings(figures: [
            "purchases": Double(count), "messages waiting": Double(waiting), "seconds to fill": taken.inSeconds,
            "seconds to drain": drained.inSeconds, "purchases per second": Double(count) / drained.inSeconds,
            "broker MB while filling": filled.memory["broker"] ?? 0,
        ])
        findings.complaints = memory.complaints(workers: workerBound, orchestrator: orchestratorBound)
        return findings
    }
}

extension [String: Double] {
    /// The processes of the fleet that took more megabytes than they may.
    func complaints(workers: Double, orchestrator: Double) -> [String] {
        filter { process, megabytes in
            let role = process.split(separator: "-").first.map(String.init) ?? process
            guard let role = FleetRole(rawValue: role) else { return false }
            return megabytes > (role == .orchestrator ? orchestrator : workers)
        }
        .map { "\($0) took \(Int($1)) MB" }.sorted()
    }
}
