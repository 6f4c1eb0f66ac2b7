import Contracts
import Engine
import Foundation
import Hosting
import Logging
import OrchestratorService
import TestKit
import Verification

/// Runs faults one after another on one set of servers and one fleet.
struct Suite {
    let place: Place
    let proxies: Proxies
    let fleet: FleetProcesses
    let web: Web
    let buyers: Buyers
    let logger: Logger
    /// What the fleet held at rest, when it was fresh and had sold a little.
    let rest: Holdings

    private var books: Books { Books(place: place, logger: logger) }
    private var broker: Broker { Broker(place: place, web: web, logger: logger) }

    /// How long the last saga may take to end once everything is healed.
    private static let patience = Duration.seconds(90)

    func run(_ fault: Fault) async -> Verdict {
        var troubles: [String] = []
        var seen = ""
        var recovered: Duration?
        var drained: Duration?
        do {
            try await fleet.up()
            let halls = try await buyers.open()
            let stage = Stage(
                place: place, servers: Servers(place: place), proxies: proxies, fleet: fleet, broker: broker,
                books: books, buyers: buyers, web: web, halls: halls)
            let crowd = Task { await buyers.crowd(at: fault.rate, in: halls) }
            do {
                try await stage.busy()
                seen = try await fault.inject(stage)
                let healed = ContinuousClock.now
                do {
                    try await buyers.probe(halls, within: fault.bound)
                    recovered = ContinuousClock.now - healed
                } catch {
                    troubles.append("\(error)")
                    try await buyers.probe(halls, within: .seconds(60))
                    recovered = ContinuousClock.now - healed
                }
            } catch {
                troubles.append("\(error)")
            }
            await heal(&troubles)
            crowd.cancel()
            await crowd.value
            drained = try await drain(since: .now)
            try await fleet.ready()
            troubles += try await check()
            troubles += try await rest.complaints(about: Holdings(fleet, books, broker), broker: broker)
        } catch {
            troubles.append("\(error)")
        }
        let tally = await buyers.reset()
        return Verdict(
            id: fault.id, title: fault.title, how: fault.how, seen: seen, purchases: tally.accepted + tally.refused,
            repeats: tally.repeats, recovered: recovered?.inSeconds, bound: fault.bound.inSeconds,
            drained: drained?.inSeconds, troubles: troubles + tally.complaints.prefix(5), date: Date())
    }

    /// Takes back whatever a fault that failed half-way may have left.
    private func heal(_ troubles: inout [String]) async {
        do {
            for server in Servers.Name.allCases {
                for proxy in proxies.of(server) { proxy.gate.open() }
                do {
                    try await Servers(place: place).signalAll(server, 18)
                } catch {
                    logger.warning("not running", metadata: ["server": "\(server.rawValue)"])
                }
            }
            try await Servers(place: place).up()
            if !troubles.isEmpty { try await broker.applyTopology() }
            for member in await fleet.all { try member.signal(18) }
            try await fleet.shrink()
            try await fleet.up()
        } catch {
            troubles.append("healing: \(error)")
        }
    }

    private func drain(since began: ContinuousClock.Instant) async throws -> Duration {
        while true {
            let unfinished = try await books.unfinished()
            if unfinished.isEmpty { return ContinuousClock.now - began }
            guard ContinuousClock.now - began < Self.patience else {
                throw Trouble("not drained within \(Self.patience): \(unfinished.joined(separator: ", "))")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func check() async throws -> [String] {
        let report = try await Verifier(
            databaseURL: place.databaseURL, comparesProvider: true, options: .init(settled: true), logger: logger
        ).run()
        let twice = try await books.count(
            "(SELECT user_id FROM orchestrator.saga GROUP BY user_id HAVING count(*) > 1) AS twice")
        return (report.isSound ? [] : report.lines) + (twice == 0 ? [] : ["\(twice) buyers bought twice under one key"])
    }
}
