import ArgumentParser
import Connections
import Foundation
import TestKit

/// Measures the fleet on servers of its own, as upstream systems and web clients would use it.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compose/dev bench",
        abstract: "Measure the fleet, beside the floor program and its peers.",
        discussion: """
            Scenarios: \(Scenario.allCases.map { "\($0.rawValue) (\($0.summary))" }.joined(separator: "; ")). \
            Without names: \(Scenario.standard.map(\.rawValue).joined(separator: " ")); 'all' is every one.

            Every scenario ends with `turnstile verify --settled`; one that is not sound has failed. Results, report and \
            charts go to the run directory's folder 'bench'. --document also puts them into PERFORMANCE.md; --page RESULTS \
            measures nothing and makes the report again.
            """)

    @Argument(help: "Scenarios, in the order in which they run.")
    var scenarios: [String] = []

    @Option(help: "How often everything but soak is done; floor, fleet and peers take turns.")
    var rounds = 1

    @Flag(help: "Also measure the peers: FastStream, DBOS, Celery.")
    var peers = false

    @Flag(help: "Add to the results that are there, as further rounds, instead of beginning new ones.")
    var add = false

    @Option(help: "All sizes times this, from 0.001 to 10; full size takes hours.")
    var scale = 1.0

    @Option(help: "Purchases of the saturating scenarios, instead of 60000 times the scale.")
    var purchases: Int?

    @Option(help: "Finished sagas of the scenario history, instead of ten million times the scale.")
    var history: Int?

    @Option(help: "Minutes of the scenario soak, instead of 15 times the scale.")
    var minutes: Double?

    @Option(help: "A rate of the scenario latency, instead of 20, 200 and 1,000; may be given several times.")
    var rate: [Int] = []

    @Option(help: ArgumentHelp("Where to write the results.", visibility: .hidden))
    var results = "results.json"

    @Option(
        help: """
            A comparison during which the hypervisor withheld more than this percentage of the processors is repeated, \
            at most twice; 100 repeats none.
            """)
    var calm = 5.0

    @Flag(help: ArgumentHelp("Only look at the arguments.", visibility: .hidden))
    var onlyCheck = false

    func validate() throws {
        guard rounds >= 1 else { throw ValidationError("--rounds must be 1 or more") }
        guard (0.001...10).contains(scale) else { throw ValidationError("--scale must be from 0.001 to 10") }
        guard purchases.map({ $0 >= 100 }) ?? true else { throw ValidationError("--purchases must be 100 or more") }
        guard history.map({ $0 >= 1_000 }) ?? true else { throw ValidationError("--history must be 1000 or more") }
        guard rate.allSatisfy({ (1...10_000).contains($0) }) else {
            throw ValidationError("--rate must be from 1 to 10000")
        }
        guard (0...100).contains(calm) else { throw ValidationError("--calm must be from 0 to 100") }
        guard minutes.map({ $0 > 0 }) ?? true else { throw ValidationError("--minutes must be more than 0") }
        _ = try chosen()
    }

    func run() async throws {
        guard !onlyCheck else { return }
        ignoreBrokenPipes()
        let site = try Site(ProcessInfo.processInfo.environment)
        let sizes = Sizes(scale: scale, saturating: purchases, remembered: history, minutes: minutes, rates: rate)
        let conductor = try Conductor(site, sizes: sizes, withPeers: peers)
        var results = try Results(
            URL(filePath: results), adding: add, arguments: Array(CommandLine.arguments.dropFirst()), scale: scale,
            machine: try await Machine.look(site))
        let (earlier, earlierRounds) = (results.records.count, results.lastRound)
        for round in 1...rounds {
            for trial in try trials(sizes, inRound: round) {
                tell("round \(round) of \(rounds): \(trial.title)")
                for repetition in 0...Self.repetitions {
                    var latest: [Record] = []
                    try await conductor.run(trial, round: earlierRounds + round) { record in
                        try results.add(record)
                        latest.append(record)
                        for line in record.lines { tell(line) }
                    }
                    guard repetition < Self.repetitions, isTooDisturbed(latest, of: trial) else { break }
                    try results.discount(latest: latest.count)
                    tell("the machine was not our own, once more: \(trial.title)")
                }
            }
        }
        let made = results.records.dropFirst(earlier)
        let bad = made.count { !$0.isGood }
        tell(bad == 0 ? "all went well" : "\(bad) of \(made.count) runs went wrong")
        if bad > 0 { throw ExitCode(1) }
    }

    private static let repetitions = 2

    /// What takes long averages such things out, and is not worth its time again.
    private func isTooDisturbed(_ records: [Record], of trial: Trial) -> Bool {
        guard Scenario(rawValue: trial.scenario)?.isDoneOnce != true else { return false }
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return records.contains { $0.stolenShare(of: cores) * 100 > calm }
    }

    private func trials(_ sizes: Sizes, inRound round: Int) throws -> [Trial] {
        try chosen().filter { round == 1 || !$0.isDoneOnce }.flatMap { $0.trials(sizes) }
    }

    private func chosen() throws -> [Scenario] {
        guard scenarios != ["all"] else { return Scenario.allCases }
        guard !scenarios.isEmpty else { return Scenario.standard }
        return try scenarios.map { name in
            guard let scenario = Scenario(rawValue: name) else {
                let names = Scenario.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("there is no scenario '\(name)'; there are \(names), and all")
            }
            return scenario
        }
    }
}

/// What can be measured.
enum Scenario: String, CaseIterable {
    case saturate, hot, seats, latency, http, storm, backlog, expiry, history, scale, soak

    /// What a look at the fleet's speed is content with.
    static let standard: [Scenario] = [.saturate, .hot, .latency]

    var summary: String {
        switch self {
        case .saturate: "many events, as fast as it goes"
        case .hot: "the same on one event"
        case .seats: "named seats and the best available of one hall"
        case .latency: "at fixed rates"
        case .http: "intake, end to end, availability"
        case .storm: "50,000 for 1,000 tickets"
        case .backlog: "what piles up while the workers are away"
        case .expiry: "a million live timers"
        case .history: "beside millions of finished sagas, and beside an open transaction"
        case .scale: "more processes, more lanes"
        case .soak: "a long time at 70 %"
        }
    }

    /// Whether it is long enough to be its own repetition.
    var isDoneOnce: Bool { self == .soak }

    func trials(_ sizes: Sizes) -> [Trial] {
        switch self {
        case .saturate: Saturate.trials(sizes)
        case .hot: Saturate.hotTrials(sizes)
        case .seats: Hall.trials(sizes)
        case .latency: Latency.trials(sizes)
        case .http: WebScenarios.trials(sizes)
        case .storm: Storm.trials(sizes)
        case .backlog: Backlog.trials(sizes)
        case .expiry: Timers.trials(sizes)
        case .history: OldSagas.trials(sizes)
        case .scale: Saturate.scaleTrials(sizes)
        case .soak: Soak.trials(sizes)
        }
    }
}
