import ArgumentParser
import Dispatch
import Engine
import Foundation
import SagaCore
import Simulation
import Synchronization

/// Runs the fleet in simulated storms and looks for promises that it breaks.
@main
struct Sim: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sim",
        abstract: "Run the whole fleet in simulated storms; each follows from its seed, step by step.")

    @Option(help: "The first seed, or the only one; chosen by chance if it is left out.")
    var seed: UInt64?

    @Option(help: "How many seeds to run.")
    var seeds: Int = 1

    @Option(help: "How many seeds to run at the same time.")
    var jobs: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Print the history of a run also if nothing is wrong with it.")
    var history = false

    func validate() throws {
        guard seeds > 0, jobs > 0 else { throw ValidationError("--seeds and --jobs must be at least 1") }
    }

    func run() throws {
        let first = seed ?? UInt64.random(in: 0...UInt64(UInt32.max))
        if history && seeds == 1 { return try tell(first) }
        let began = ContinuousClock.now
        let tally = Tally()
        DispatchQueue.concurrentPerform(iterations: jobs) { job in
            for offset in stride(from: job, to: seeds, by: jobs) where tally.isClean {
                tally.add(Simulation<PurchaseSaga>().run(seed: first + UInt64(offset)))
            }
        }
        if let seed = tally.failure { return try tell(seed) }
        let took = ContinuousClock.now - began
        let rate = Int(60 * Double(seeds) / (took / .seconds(1)))
        print("\(seeds) seeds from \(first), \(tally.purchases) purchases: every promise kept (\(rate) seeds a minute)")
    }

    /// The same seed gives the same history, so it is only written down when somebody wants to read it.
    private func tell(_ seed: UInt64) throws {
        let report = Simulation<PurchaseSaga>().run(seed: seed, recorded: true)
        for line in report.history { print(line) }
        guard !report.violations.isEmpty else { return print("\nseed \(seed): every promise kept") }
        print("\nseed \(seed) breaks promises:")
        for violation in report.violations { print("  \(violation)") }
        print("\nagain: compose/dev sim --seed \(seed)")
        throw ExitCode.failure
    }
}

/// What the runs of all threads came to.
private final class Tally: Sendable {
    private struct State {
        var purchases = 0
        var failure: UInt64?
    }

    private let state = Mutex(State())

    var isClean: Bool { state.withLock { $0.failure == nil } }
    var purchases: Int { state.withLock { $0.purchases } }
    var failure: UInt64? { state.withLock { $0.failure } }

    func add(_ report: SimulationReport) {
        state.withLock { state in
            state.purchases += report.sagas
            if !report.violations.isEmpty { state.failure = min(report.seed, state.failure ?? report.seed) }
        }
    }
}
